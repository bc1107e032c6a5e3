"""How mutants are run: in a module that others have imported, with a list of equivalent ones."""

import functools
import sys
from itertools import chain
from types import ModuleType

import pytest

from lessons.workshop.authoring.model_mutants import mutants_of_model
from lessons.workshop.authoring.mutant_runs import (
    demo_mutants,
    outdated_reasons,
    patch_module,
    solution_mutants,
)
from lessons.workshop.course.lesson_index import lessons

SOURCE = """\
import functools

def plain():
    return "old"

def kept(function):
    @functools.wraps(function)
    def call():
        return function()
    return call

@kept
def decorated(text="old"):
    return text

class Base:
    def __init__(self):
        self.text = "old"
"""


@pytest.fixture
def module(monkeypatch):
    module = ModuleType("patched")
    module.__file__ = "patched.py"
    monkeypatch.setitem(sys.modules, "patched", module)
    exec(SOURCE, vars(module))
    return module


def test_functions_and_subclasses_that_others_hold_are_changed_too(module):
    plain, decorated, held = module.plain, module.decorated, functools.partial(module.plain)

    class Derived(module.Base):
        def __init__(self):
            super().__init__()

    patch_module(module, SOURCE.replace("old", "new"))

    assert [plain(), decorated(), held(), Derived().text, module.Base().text] == ["new"] * 5


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_every_equivalent_mutant_is_a_mutant(lesson):
    of_demo = chain.from_iterable(demo_mutants(lesson).values())
    assert outdated_reasons(lesson, "solution", solution_mutants(lesson)) == []
    assert outdated_reasons(lesson, "demo", of_demo) == []
    assert outdated_reasons(lesson, "model", mutants_of_model(lesson)) == []
