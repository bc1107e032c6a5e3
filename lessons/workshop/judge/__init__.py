"""Judges a student's consumer: checks, verdicts, comparison with mistakes, predictions.

A check.py and a test import these names from here. Each is loaded when it is first used: a command
that lists the lessons needs none of them.
"""

from importlib import import_module

_NAMES = {
    "engine.model.awkward": (
        "BYTES DIGITS JSON NAMES NUMBERS PARAMETERS TEXTS TIMES TITLES Source lengths near"
    ),
    "engine.model.expected": "Answer Expected Stream complete_response is_json_of",
    "engine.model.model": "Model",
    "engine.scheduling.clock": "BEGINNING",
    "engine.script.steps": "parse_step",
    "judge.fault_model": "FaultModel altered edited",
    "judge.mutants": "Mutant mutants_of",
    "judge.runner": "judge",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lessons.workshop.{_MODULES[name]}"), name)
