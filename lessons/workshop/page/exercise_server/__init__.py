"""Serves a student's exercise, the solution or a mistake to the clients of a lesson's page.

The code runs in a child process of the workshop, with a copy of the database and its own channel
layer. The workshop relays between Daphne and the child, and watches the child.
"""
