"""The database: the ORM, live updates, replayed history and a chat. Lessons 19 to 23."""
