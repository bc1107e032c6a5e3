"""The room's queries. Plain functions; the consumers call them in the database thread."""
