"""The workshop: what students read, what judges their work, and the pages that show the wire."""
