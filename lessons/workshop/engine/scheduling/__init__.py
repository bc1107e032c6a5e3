"""One scheduler for the loop, threads and time of a conversation, whose seed decides the order."""
