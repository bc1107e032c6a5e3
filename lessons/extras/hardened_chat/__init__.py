"""A chat for production: limits, rights that end, messages that a client sends again."""
