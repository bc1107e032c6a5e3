"""The room: an instructor's server for a class.

Each student's own machine judges. The student's workshop reports to the room over one WebSocket,
and the instructor sees a board. What both sides may send is in protocol.py.
"""
