"""The pages of the workshop, and the sockets on which a page receives recorded events."""
