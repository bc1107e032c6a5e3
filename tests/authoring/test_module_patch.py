"""What a mutant's tests run on: whoever had imported the module before has the changed one."""

import functools
import sys
from types import ModuleType

import pytest

from lessons.authoring.module_patch import put_in_place

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
    module = ModuleType("in_place")
    module.__file__ = "in_place.py"
    monkeypatch.setitem(sys.modules, "in_place", module)
    exec(SOURCE, vars(module))
    return module


def test_who_holds_a_function_or_a_derived_class_has_the_change(module):
    plain, decorated, held = module.plain, module.decorated, functools.partial(module.plain)

    class Derived(module.Base):
        def __init__(self):
            super().__init__()

    put_in_place(module, SOURCE.replace("old", "new"))

    assert [plain(), decorated(), held(), Derived().text, module.Base().text] == ["new"] * 5
