"""SyncConsumer: how a consumer receives events and answers them. Lessons 1 to 4."""
