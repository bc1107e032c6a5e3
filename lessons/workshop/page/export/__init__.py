"""Writes the conversation that was played on a page as a pytest module that stands alone."""
