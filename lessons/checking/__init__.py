"""Judges a student's consumer: strict communicator, checks, diagnoses, verdicts.

The names below are what a check.py, a test and a command use; each is imported when it is asked
for, since the communicator brings Twisted with it and a catalogue of diagnoses does not.
"""

from importlib import import_module

_HOMES = {
    "StrictCommunicator": "communicator",
    "StrictHttpCommunicator": "http_communicator",
    "diagnose": "fixtures",
    "judge": "runner",
    "Verdict": "verdict",
}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
