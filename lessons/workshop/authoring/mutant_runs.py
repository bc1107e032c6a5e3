"""Runs the mutants of a lesson.

The lesson's checks judge the mutants of its solution. Its tests run on the mutants of its demo.
A mutant that no check and no test fails shows a gap, unless equivalent_mutants.toml says why the
mutant behaves like the original.
"""

import ast
import asyncio
import gc
import importlib
import os
import signal
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from unittest import mock

from django.dispatch import Signal

from lessons.workshop.course.lesson_index import IncompleteLesson, Lesson
from lessons.workshop.course.lesson_text import names_of_shown_code
from lessons.workshop.course.source_code import definitions_in, definitions_named, read_python
from lessons.workshop.course.subjects import exercise
from lessons.workshop.engine.process.child_process import end_child, start_child
from lessons.workshop.engine.scheduling.loop import SimulatedLoop
from lessons.workshop.judge.mutants import Mutant, mutants_of
from lessons.workshop.judge.runner import judge

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
CHECK_TIMEOUT = 2.0  # seconds for one check of a mutant: an endless loop counts as caught
DEMO_TESTS_TIMEOUT = 300.0  # seconds for the tests of an unchanged demo, on a busy machine
# The tests of a mutant may take five times as long as the demo's own, and at least 30 seconds.
MUTANT_TESTS_FACTOR = 5
MIN_MUTANT_TESTS_TIMEOUT = 30.0


@dataclass(frozen=True)
class MutantRun:
    """One mutant of `file`: whether it was caught, and by which checks.

    `line` is the text of the line that the mutant changes.
    """

    file: Path
    mutant: Mutant
    line: str
    caught: bool
    caught_by: tuple[str, ...] = ()


def run_solution_mutants(lesson: Lesson, stops_at_red: bool = False) -> Iterator[MutantRun]:
    """Judge each mutant of each class and function in solution.py with the lesson's checks.

    With `stops_at_red`, only the first check that catches it is known.
    """
    source = read_python(lesson.solution)
    for mutant in solution_mutants(lesson):
        target = exercise(lesson, "mutant", lesson.solution, mutant.source)
        verdict = judge(
            lesson, target, CHECK_TIMEOUT, stops_at_red=stops_at_red, names_faults=False
        )
        red = tuple(outcome.name for outcome in verdict.outcomes if outcome.state == "red")
        yield MutantRun(lesson.solution, mutant, line_of(source, mutant), not verdict.green, red)


def solution_mutants(lesson: Lesson) -> Iterator[Mutant]:
    """Every mutant of each class and function in solution.py."""
    source = read_python(lesson.solution)
    names = [lesson.exercise_name, *definitions_in(ast.parse(source))]
    return _mutants(source, [*dict.fromkeys(names)])


def run_demo_mutants(lesson: Lesson) -> Iterator[MutantRun]:
    """Run the lesson's tests on each mutant of its worked example and of the code it shows."""
    for module_name, mutants in demo_mutants(lesson).items():
        file = _file_of(module_name)
        source = read_python(file)
        with demo_tests(lesson, module_name) as pass_with:
            started = time.monotonic()
            if not pass_with(source, DEMO_TESTS_TIMEOUT):
                raise IncompleteLesson(f"{lesson.tests} is red on the unchanged worked example")
            duration = time.monotonic() - started
            limit = max(MIN_MUTANT_TESTS_TIMEOUT, MUTANT_TESTS_FACTOR * duration)
            for mutant in mutants:
                caught = not pass_with(mutant.source, limit)
                yield MutantRun(file, mutant, line_of(source, mutant), caught)


def demo_mutants(lesson: Lesson) -> dict[str, Iterator[Mutant]]:
    """Every mutant of the worked example and of the code that the lesson shows, by module."""
    return {
        module_name: _mutants(read_python(_file_of(module_name)), names)
        for module_name, names in parts_of_demo(lesson).items()
    }


def _mutants(source: str, names: list[str]) -> Iterator[Mutant]:
    return chain.from_iterable(mutants_of(source, name) for name in names)


def line_of(source: str, mutant: Mutant) -> str:
    return source.splitlines()[mutant.line - 1].strip() if mutant.line else ""


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


def outdated_reasons(lesson: Lesson, kind: str, mutants: Iterable[Mutant]) -> list[str]:
    """The entries of equivalent_mutants.toml of which no mutant has the name."""
    names = {mutant.name for mutant in mutants}
    return [name for name in reasons(lesson, kind) if name not in names]


@contextmanager
def demo_tests(lesson: Lesson, module_name: str) -> Iterator[Callable[[str, float], bool]]:
    """Collect the lesson's tests in a child, and yield a function that runs them.

    It takes the source of a mutant and a timeout in seconds, and returns whether the tests pass.
    """
    if not hasattr(os, "fork"):
        raise IncompleteLesson("mutants of a demo can be run on Linux and macOS only")
    here, there = Pipe()
    child = start_child(_collect_and_run, lesson, module_name, there)
    there.close()

    def pass_with(source: str, limit: float) -> bool:
        here.send((source, limit))
        try:
            return here.recv()
        except EOFError:
            raise IncompleteLesson(f"pytest could not run {lesson.tests}") from None

    try:
        yield pass_with
    finally:
        end_child(child)


def _collect_and_run(lesson: Lesson, module_name: str, requests: Connection) -> None:
    """In the child: collect the lesson's tests once, and run them for each request."""
    import pytest

    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    module = importlib.import_module(module_name)
    # The output is discarded, so pytest need not rewrite assertions or load every plugin.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "--assert=plain", "-pno:cacheprovider", f"-k{lesson.app}"]
    # The project's addopts name options of xdist, which is not loaded.
    options += ["-oaddopts=", "-ppytest_asyncio.plugin", "-ppytest_django.plugin"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    pytest.main([*map(str, lesson.all_tests), *options], [_RunOfEachMutant(module, requests)])


class _RunOfEachMutant:
    """A pytest plugin that runs the collected tests for each request, each time in a fork."""

    def __init__(self, module: ModuleType, requests: Connection):
        self.module, self.requests = module, requests

    def pytest_asyncio_loop_factories(self, item):
        """A test that waits in vain, such as for a frame, takes no time on the simulated clock.

        A module that imports `time` may replace time.sleep(), as that clock does.
        """
        return {"chosen": asyncio.new_event_loop if hasattr(item.module, "time") else SimulatedLoop}

    def pytest_runtestloop(self, session) -> bool:
        while True:
            source, limit = self.requests.recv()
            self.requests.send(self._pass(session, source, limit))

    def _pass(self, session, source: str, limit: float) -> bool:
        from _pytest.main import pytest_runtestloop

        if pid := os.fork():
            return os.waitpid(pid, 0)[1] == 0
        signal.setitimer(signal.ITIMER_REAL, limit)  # SIGALRM ends this process
        try:
            patch_module(self.module, source)
            pytest_runtestloop(session)
            os._exit(not session.items)
        finally:
            os._exit(1)  # with -x, a red test raises an exception


def patch_module(module: ModuleType, source: str) -> None:
    """Run `source` as the code of a module that others have imported.

    Its functions and classes stay the same objects and get the new code. So a receiver that a
    signal knows, and a consumer that a route or a collected test knows, change too.
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
        elif isinstance(old, type) and isinstance(new, type):
            _patch_class(old, new)
        else:
            continue
        setattr(module, name, old)


def _patch_function(old: FunctionType, new: FunctionType) -> None:
    old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    for old_cell, new_cell in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
        old_cell.cell_contents = new_cell.cell_contents  # the function that a decorator wraps


def _patch_class(old: type, new: type) -> None:
    for name in vars(old).keys() - vars(new).keys():
        delattr(old, name)
    for name in vars(new).keys() - {"__dict__", "__weakref__"}:
        setattr(old, name, vars(new)[name])
    for cell in gc.get_referrers(new):
        if isinstance(cell, CellType):  # what super() without arguments reads
            cell.cell_contents = old
