"""Judges a student's consumer: checks, verdicts, comparison with mistakes, predictions.

A check.py and a test import these names from here. Each is loaded when it is first used: a command
that lists the lessons needs none of them.
"""

from importlib import import_module

_MODULES = {
    **dict.fromkeys(
        (
            "BYTES",
            "DIGITS",
            "JSON",
            "NAMES",
            "NUMBERS",
            "PARAMETERS",
            "TEXTS",
            "TIMES",
            "TITLES",
            "lengths",
            "near",
        ),
        "engine.model.awkward",
    ),
    "Answer": "engine.model.expected",
    "BEGINNING": "engine.scheduling.clock",
    "CheckFailed": "engine.faults.finding",
    "Expected": "engine.model.expected",
    "FaultModel": "judge.fault_model",
    "Model": "engine.model.model",
    "Stream": "engine.model.expected",
    "Verdict": "judge.verdict",
    "altered": "judge.fault_model",
    "complete_response": "engine.model.expected",
    "edited": "judge.fault_model",
    "is_json_of": "engine.model.expected",
    "judge": "judge.runner",
    "mutants_of": "judge.mutants",
    "parse_step": "engine.script.steps",
}


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lessons.workshop.{_MODULES[name]}"), name)
