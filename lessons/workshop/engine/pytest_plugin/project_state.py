"""What the project's modules and classes hold, so that each conversation begins with the same."""

import copy
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from enum import Enum
from types import ModuleType

from ..scheduling.blocking_calls import is_students

_CONTAINERS = {dict, list, set, deque, bytearray, Counter, OrderedDict, defaultdict}
_VALUES = {bool, int, float, str, bytes, tuple, frozenset, type(None)}


class ProjectState:
    """The values of modules, their classes and their objects, since restore() has seen them."""

    def __init__(self):
        self._seen: set[int] = set()
        self._saved: list[tuple] = []

    def restore(self) -> None:
        """Put the saved values back, and save those of modules that were imported since."""
        for owner, name, value, content in self._saved:
            if vars(owner).get(name) is not value:
                setattr(owner, name, value)
            if value != content:
                value.clear()
                add = value.extend if hasattr(value, "extend") else value.update
                add(content)
        for module in [*sys.modules.values()]:
            file = getattr(module, "__file__", None) or ""
            if isinstance(module, ModuleType) and is_students(file):
                self._save(module)

    def _save(self, owner) -> None:
        if id(owner) in self._seen:
            return
        self._seen.add(id(owner))
        for name, value in [*vars(owner).items()]:
            if type(value) in _CONTAINERS and not name.startswith("__"):
                self._saved.append((owner, name, value, copy.copy(value)))
            elif type(value) in _VALUES and not name.startswith("__"):
                self._saved.append((owner, name, value, value))
            elif _is_of_project(value):
                self._save(value)


def _is_of_project(value) -> bool:
    """Whether it is a class of the project, or an object of one, and can be changed."""
    made_by = value if isinstance(value, type) else type(value)
    module = sys.modules.get(made_by.__module__)
    is_frozen = issubclass(made_by, Enum | ModuleType) or not hasattr(value, "__dict__")
    return not is_frozen and is_students(getattr(module, "__file__", None) or "")
