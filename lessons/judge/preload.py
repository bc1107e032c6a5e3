"""What is loaded and made where checks are forked from, so that no fork has to."""

from contextlib import suppress
from importlib import import_module

from django.db import DatabaseError

from lessons.playback.child_process import set_up_django

set_up_django()
for name in ("lessons.judge.check_process", "lessons.playback.conversation"):
    import_module(name)

with suppress(OSError, DatabaseError):  # a check that needs the tables says what is in the way
    import_module("lessons.simulator.database").prepare()
