"""SyncConsumer: how a consumer receives events and answers them. Lessons 0 to 5."""
