"""AsyncConsumer: the same protocol, awaited. Lessons 5 to 10."""
