"""The room: an instructor's server for a class.

Each student's own machine judges. The student's workshop reports over one WebSocket, and the
instructor sees a board. lessons/workshop/member/protocol.py describes what both sides send. The
room is one process, so its layer is in memory, and the database has everything that must survive.
"""
