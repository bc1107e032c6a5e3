"""Judges a student's consumer: strict communicator, checks, diagnoses, verdicts.

The names below are what a check.py, a test and a command use; each is imported when it is asked
for, since the communicator brings Twisted with it and a catalogue of diagnoses does not.
"""

from importlib import import_module

_MODULES = {
    "CheckFailed": "simulator.finding",
    "StrictCommunicator": "simulator.communicator",
    "StrictHttpCommunicator": "simulator.communicator",
    "Verdict": "judge.verdict",
    "diagnose": "judge.fixtures",
    "judge": "judge.runner",
    "receiver_was_lost": "simulator.signal_receivers",
    "try_test": "judge.student_test",
}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lessons.{_MODULES[name]}"), name)
