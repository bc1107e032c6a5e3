"""The channel layer: channels, groups, delivery and workers. Lessons 11 to 15."""
