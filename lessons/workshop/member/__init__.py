"""The student's side of a class: a workshop that has joined a room, and what it reports."""
