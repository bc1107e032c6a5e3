"""The database: the ORM, news that arrives, history that is replayed. Lessons 20 to 23."""
