"""Runs the mutants of a lesson: its checks judge the solution's, its tests the demo's."""

import ast
import importlib
import os
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from lessons.authoring.module_patch import put_in_place
from lessons.authoring.mutants import Mutant, mutants_of
from lessons.core.catalogue import IncompleteLesson, Lesson
from lessons.core.lesson_text import code_shown
from lessons.core.source import definitions_in, definitions_named
from lessons.judge.runner import judge
from lessons.playback.child_process import start_child
from lessons.playback.target import Target

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
LIMIT = 2.0  # seconds for one check of a mutant: a loop without end counts as noticed
TESTS_PATIENCE = 300.0  # seconds for a demo's whole test module, on a machine that is busy
TIMES = 5  # as long as that may the tests of a mutant take, and no less than this many seconds:
TESTS_LIMIT = 30.0
_PASSED, _FAILED, _INTERRUPTED = 0, 1, 2  # pytest's exit codes


@dataclass(frozen=True)
class MutantRun:
    """One mutant of `file`: whether it was noticed, by which checks, or why it need not be."""

    file: Path
    mutant: Mutant
    noticed: bool
    noticed_by: tuple[str, ...] = ()
    reason: str | None = None


def solution_mutants(lesson: Lesson) -> Iterator[MutantRun]:
    """Judge each mutant of the solution, all that it defines, with the lesson's checks."""
    source = lesson.solution.read_text(encoding="utf-8")
    names = dict.fromkeys([lesson.exercise_name, *definitions_in(ast.parse(source))])
    for mutant in chain.from_iterable(mutants_of(source, name) for name in names):
        target = Target(
            "mutant", lesson.solution, lesson.exercise_name, lesson.exercise_base, mutant.source
        )
        verdict = judge(lesson, target, LIMIT)
        red = tuple(outcome.name for outcome in verdict.outcomes if outcome.state == "red")
        reason = _reason(lesson, "solution", mutant)
        yield MutantRun(lesson.solution, mutant, not verdict.green, red, reason)


def demo_mutants(lesson: Lesson) -> Iterator[MutantRun]:
    """Run the lesson's tests on each mutant of its worked example, all that its text shows."""
    for module_name, names in parts_of_demo(lesson).items():
        file = Path(importlib.import_module(module_name).__file__)
        source = file.read_text(encoding="utf-8")
        started = time.monotonic()
        if not _tests_pass(lesson, module_name, source, TESTS_PATIENCE):
            raise IncompleteLesson(f"{lesson.tests} is red on the worked example as it stands")
        limit = max(TESTS_LIMIT, TIMES * (time.monotonic() - started))
        for mutant in chain.from_iterable(mutants_of(source, name) for name in names):
            noticed = not _tests_pass(lesson, module_name, mutant.source, limit)
            yield MutantRun(file, mutant, noticed, (), _reason(lesson, "demo", mutant))


def parts_of_demo(lesson: Lesson) -> dict[str, list[str]]:
    """What the worked example is made of, by module: what is run, and the code that is shown."""
    parts: dict[str, list[str]] = {}
    for name in (lesson.demo, lesson.worker, lesson.stack, *code_shown(lesson)):
        if name and name.partition(".")[0] == lesson.app:
            module_name, names = definitions_named(name)
            parts.setdefault(module_name, []).extend(names)
    return {module_name: _outermost(names) for module_name, names in parts.items() if names}


def _outermost(names: list[str]) -> list[str]:
    """Each name once, and none of what stands in a class that is named."""
    within = [name for name in names if any(name.startswith(f"{other}.") for other in names)]
    return [name for name in dict.fromkeys(names) if name not in within]


@cache
def _equivalent() -> dict:
    return tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))


def _reason(lesson: Lesson, kind: str, mutant: Mutant) -> str | None:
    return _equivalent().get(lesson.folder.name, {}).get(kind, {}).get(mutant.name)


def _tests_pass(lesson: Lesson, module_name: str, source: str, limit: float) -> bool:
    import pytest_asyncio.plugin  # noqa: F401 - warm before the fork
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
    """In the child: put the mutant in the module's place and run the tests on it."""
    import pytest

    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    module = importlib.import_module(module_name)
    try:
        put_in_place(module, source)
    except Exception:
        os._exit(_FAILED)
    # Nobody reads what pytest says here, so it need not rewrite assertions or load every plugin.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "--assert=plain", "-pno:cacheprovider"]
    # The project's own options name xdist's, which is not there.
    options += ["-oaddopts=", "-plessons.judge.pytest_plugin"]
    options += ["-ppytest_asyncio.plugin", "-ppytest_django.plugin"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    os._exit(int(pytest.main([*map(str, lesson.proofs), *options])))
