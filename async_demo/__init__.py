"""AsyncConsumer: the same protocol with async and await. Lessons 4 to 9 and 30."""
