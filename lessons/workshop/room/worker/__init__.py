"""What the room's server must not run itself: code of students, and of the course."""
