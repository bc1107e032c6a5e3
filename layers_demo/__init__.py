"""The channel layer: channels, groups, delivery, workers. Lessons 11 to 15."""
