"""The student's side of a room: a workshop that has joined a class, and what it reports."""
