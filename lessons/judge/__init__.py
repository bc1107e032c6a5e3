"""Judges a student's consumer: checks, verdicts, comparison with mistakes, predictions.

A check.py and a test import these names from here. Each is loaded when it is first used: the
communicator loads Twisted, which a command that lists the lessons does not need.
"""

from importlib import import_module

_MODULES = {
    "ANY_TIME": "judge.model",
    "Answer": "judge.model",
    "Answers": "judge.model",
    "BEGINNING": "simulator.clock",
    "CheckFailed": "simulator.finding",
    "Expected": "judge.model",
    "FaultModel": "judge.fault_model",
    "InAnyOrder": "judge.model",
    "Model": "judge.model",
    "OneOf": "judge.model",
    "Stream": "judge.model",
    "StrictCommunicator": "simulator.communicator",
    "StrictHttpCommunicator": "simulator.communicator",
    "Verdict": "judge.verdict",
    "edited": "judge.fault_model",
    "judge": "judge.runner",
    "mutants_of": "core.mutants",
}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lessons.{_MODULES[name]}"), name)
