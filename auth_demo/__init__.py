"""Authentication: users, origins, tickets, logout and tokens. Lessons 16 to 19 and 24."""
