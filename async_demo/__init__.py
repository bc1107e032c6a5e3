"""AsyncConsumer: the same protocol with async and await. Lessons 5 to 10."""
