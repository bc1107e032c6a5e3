"""Authentication: users, origins, tickets, logout and tokens. Lessons 16 to 18, 21 and 24."""
