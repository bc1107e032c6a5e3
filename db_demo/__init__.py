"""The database: the ORM, live updates, replayed history and a chat. Lessons 20 to 23."""
