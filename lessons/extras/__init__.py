"""Beyond the lessons: what production adds to the five apps. See README.md."""
