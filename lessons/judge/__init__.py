"""Judges a student's consumer: checks, verdicts, comparison with mistakes, predictions.

A check.py and a test import these names from here. Each is loaded when it is first used: the
communicator loads Twisted, which a command that lists the lessons does not need.
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
    "run_student_test": "judge.student_test",
}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lessons.{_MODULES[name]}"), name)
