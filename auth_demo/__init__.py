"""Authentication: users, origins, tickets and logout. Lessons 16 to 19."""
