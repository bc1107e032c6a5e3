"""Runs the mutants of a lesson.

The lesson's checks judge the mutants of its solution. Its tests run on the mutants of its demo.
A mutant that no check and no test fails shows a gap, unless equivalent_mutants.toml says why the
mutant behaves like the original.
"""

import ast
import importlib
import os
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from types import FunctionType, ModuleType
from unittest import mock

from django.dispatch import Signal

from lessons.workshop.course.lesson_index import IncompleteLesson, Lesson
from lessons.workshop.course.lesson_text import names_of_shown_code
from lessons.workshop.course.source_code import definitions_in, definitions_named, read_python
from lessons.workshop.course.subjects import exercise
from lessons.workshop.engine.process.child_process import start_child
from lessons.workshop.judge.mutants import Mutant, mutant_names, mutants_of
from lessons.workshop.judge.runner import judge

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
CHECK_TIMEOUT = 2.0  # seconds for one check of a mutant: an endless loop counts as caught
DEMO_TESTS_TIMEOUT = 300.0  # seconds for the tests of an unchanged demo, on a busy machine
# The tests of a mutant may take five times as long as the demo's own, and at least 30 seconds.
MUTANT_TESTS_FACTOR = 5
MIN_MUTANT_TESTS_TIMEOUT = 30.0
_PASSED, _FAILED, _INTERRUPTED = 0, 1, 2  # pytest's exit codes


@dataclass(frozen=True)
class MutantRun:
    """One mutant of `file`: whether it was caught, by which checks, or why it is equivalent.

    `line` is the text of the line that the mutant changes.
    """

    file: Path
    mutant: Mutant
    line: str
    caught: bool
    caught_by: tuple[str, ...] = ()
    reason: str | None = None


def run_solution_mutants(lesson: Lesson) -> Iterator[MutantRun]:
    """Judge each mutant of each class and function in solution.py with the lesson's checks."""
    source = read_python(lesson.solution)
    for mutant in solution_mutants(lesson):
        target = exercise(lesson, "mutant", lesson.solution, mutant.source)
        verdict = judge(lesson, target, CHECK_TIMEOUT)
        red = tuple(outcome.name for outcome in verdict.outcomes if outcome.state == "red")
        reason = reasons(lesson, "solution").get(mutant.name)
        line = line_of(source, mutant)
        yield MutantRun(lesson.solution, mutant, line, not verdict.green, red, reason)


def solution_mutants(lesson: Lesson) -> Iterator[Mutant]:
    """Every mutant of each class and function in solution.py."""
    return _mutants(*_parts_of_solution(lesson))


def run_demo_mutants(lesson: Lesson) -> Iterator[MutantRun]:
    """Run the lesson's tests on each mutant of its worked example and of the code it shows."""
    for module_name, names in parts_of_demo(lesson).items():
        file = _file_of(module_name)
        source = read_python(file)
        started = time.monotonic()
        if not _tests_pass(lesson, module_name, source, DEMO_TESTS_TIMEOUT):
            raise IncompleteLesson(f"{lesson.tests} is red on the unchanged worked example")
        limit = max(MIN_MUTANT_TESTS_TIMEOUT, MUTANT_TESTS_FACTOR * (time.monotonic() - started))
        for mutant in _mutants(source, names):
            caught = not _tests_pass(lesson, module_name, mutant.source, limit)
            reason = reasons(lesson, "demo").get(mutant.name)
            yield MutantRun(file, mutant, line_of(source, mutant), caught, (), reason)


def _mutants(source: str, names: list[str]) -> Iterator[Mutant]:
    return chain.from_iterable(mutants_of(source, name) for name in names)


def line_of(source: str, mutant: Mutant) -> str:
    return source.splitlines()[mutant.line - 1].strip() if mutant.line else ""


def outdated_reasons(lesson: Lesson) -> list[str]:
    """The entries of equivalent_mutants.toml for mutants that do not exist any more."""
    source, names = _parts_of_solution(lesson)
    solution = set().union(*(mutant_names(source, name) for name in names))
    demo: set[str] = set()
    for module_name, names in parts_of_demo(lesson).items():
        source = read_python(_file_of(module_name))
        demo.update(*(mutant_names(source, name) for name in names))
    unknown = [name for name in reasons(lesson, "solution") if name not in solution]
    return unknown + [name for name in reasons(lesson, "demo") if name not in demo]


def _parts_of_solution(lesson: Lesson) -> tuple[str, list[str]]:
    """The text of solution.py, and the names of its classes and functions."""
    source = read_python(lesson.solution)
    names = [lesson.exercise_name, *definitions_in(ast.parse(source))]
    return source, [*dict.fromkeys(names)]


def _file_of(module_name: str) -> Path:
    return Path(importlib.import_module(module_name).__file__)


def parts_of_demo(lesson: Lesson) -> dict[str, list[str]]:
    """The names that the worked example consists of, by module: what runs, and what is shown."""
    parts: dict[str, list[str]] = {}
    for name in (lesson.demo, lesson.worker, lesson.stack, *names_of_shown_code(lesson)):
        if name and name.partition(".")[0] == lesson.app:
            module_name, names = definitions_named(name)
            parts.setdefault(module_name, []).extend(names)
    return {module_name: _outermost(names) for module_name, names in parts.items() if names}


def _outermost(names: list[str]) -> list[str]:
    """Each name once, without the names inside a class that is in the list too."""
    within = [name for name in names if any(name.startswith(f"{other}.") for other in names)]
    return [name for name in dict.fromkeys(names) if name not in within]


@cache
def _equivalent() -> dict:
    return tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))


def reasons(lesson: Lesson, kind: str) -> dict[str, str]:
    """Why mutants of the lesson's "solution", "demo" or "model" are equivalent, by their name."""
    return _equivalent().get(lesson.folder.name, {}).get(kind, {})


def _tests_pass(lesson: Lesson, module_name: str, source: str, limit: float) -> bool:
    import pytest_asyncio.plugin  # noqa: F401 - loaded before the fork, so no child loads it
    import pytest_django.plugin  # noqa: F401

    child = start_child(_run_tests, lesson, module_name, source)
    child.join(limit)
    code = child.exitcode
    child.kill()
    child.join()
    if code is not None and code > _INTERRUPTED:
        raise IncompleteLesson(f"pytest could not run {lesson.tests}: exit code {code}")
    return code == _PASSED


def _run_tests(lesson: Lesson, module_name: str, source: str) -> None:
    """In the child: replace the module's code with the mutant and run the tests on it."""
    import pytest

    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    module = importlib.import_module(module_name)
    try:
        patch_module(module, source)
    except Exception:
        os._exit(_FAILED)
    # The output is discarded, so pytest need not rewrite assertions or load every plugin.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "--assert=plain", "-pno:cacheprovider", f"-k{lesson.app}"]
    # The project's addopts name options of xdist, which is not loaded.
    options += ["-oaddopts=", "-ptests.support.strict_loops"]
    options += ["-ppytest_asyncio.plugin", "-ppytest_django.plugin"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    os._exit(int(pytest.main([*map(str, lesson.all_tests), *options])))


def patch_module(module: ModuleType, source: str) -> None:
    """Run `source` as the code of a module that others have imported, and update what they hold.

    Old functions get the new code, and subclasses and names of an old class get the new class. So
    a receiver that a signal knows, and a view that a route knows, stay the same objects.
    """
    before = dict(vars(module))
    with mock.patch.object(Signal, "connect"):  # the old receivers are connected already
        exec(compile(source, module.__file__, "exec"), vars(module))
    for name, new in list(vars(module).items()):
        old = before.get(name)
        if old is new or getattr(new, "__module__", None) != module.__name__:
            continue
        if isinstance(old, FunctionType) and isinstance(new, FunctionType):
            _patch_function(old, new)
            setattr(module, name, old)
        elif isinstance(old, type) and isinstance(new, type):
            _replace_class(old, new)


def _patch_function(old: FunctionType, new: FunctionType) -> None:
    old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    for old_cell, new_cell in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
        old_cell.cell_contents = new_cell.cell_contents  # the function that a decorator wraps


def _replace_class(old: type, new: type) -> None:
    for derived in old.__subclasses__():
        derived.__bases__ = tuple(new if base is old else base for base in derived.__bases__)
    for holder in [module for module in sys.modules.values() if module is not None]:
        for name in [name for name, value in vars(holder).items() if value is old]:
            setattr(holder, name, new)
