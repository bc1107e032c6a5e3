"""Simulates what surrounds a consumer in production, so that a verdict is quick and repeatable.

communicator.py    the clients: what they send and receive
server.py          Daphne: delivers events, applies daphne_rules.py, names faults
loop.py            the scheduler; threads.py the turns of threads; clock.py one clock for all
channel_layer.py   the channel layers, on a Redis server that can fail
database.py        the database; cache.py the cache; worker.py `manage.py runworker`
interleaving.py    other writers, at chosen moments
student_module.py, signal_receivers.py  the student's file, imported again for each conversation
finding.py         what is reported about a consumer
"""

STUDENT_PACKAGE = "lessons_loaded"  # the package in which students' modules appear to be
