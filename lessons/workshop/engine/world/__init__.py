"""Simulates what surrounds a consumer in production, so that a verdict is quick and repeatable.

client.py          the clients, and Daphne, which serves them by daphne_rules.py and observes
world.py           sets up all this, with the loop, threads and clock of engine/scheduling
channel_layer.py   the channel layers, on a Redis server that can fail
database.py        the database; accounts.py its accounts; cache.py the cache
worker.py          `manage.py runworker`
interleaving.py    other writers, at chosen moments
student_module.py, signal_receivers.py  the student's file, imported again for each conversation
"""

import itertools
from contextvars import ContextVar

STUDENT_PACKAGE = "lessons_loaded"  # the package in which students' modules appear to be

# Which of the processes that are played here runs: 0 is the first, which is real.
process: ContextVar[int] = ContextVar("process", default=0)
process_numbers = itertools.count(1)
