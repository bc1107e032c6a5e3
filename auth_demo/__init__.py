"""Who is there: users, origins, tickets, logout. Lessons 16 to 19."""
