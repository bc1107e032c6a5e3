"""The workshop in the browser: the list, a page for each lesson, and the recorder's live feed."""
