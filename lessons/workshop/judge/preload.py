"""Loads modules and creates tables once, in the process that forks for each verdict."""

import gc
from contextlib import suppress
from importlib import import_module

from django.db import DatabaseError

from lessons.workshop.engine.process.child_process import set_up_django

set_up_django()
import_module("lessons.workshop.judge.runner")
import_module("lessons.workshop.engine.process.conversation")
import_module("lessons.workshop.engine.scheduling.clock").load_time_machine()

with suppress(OSError, DatabaseError):  # a check that needs tables reports the reason
    import_module("lessons.workshop.engine.world.database").prepare()

gc.freeze()  # what was loaded stays: no collection of this process or of a child looks at it again
