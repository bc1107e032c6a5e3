"""What is loaded and made where checks are forked from, so that no fork has to."""

from contextlib import suppress

from django.db import DatabaseError

from lessons.checking import child, conversation  # noqa: F401
from lessons.checking.database import prepare

with suppress(OSError, DatabaseError):  # a check that needs the tables says what is in the way
    prepare()
