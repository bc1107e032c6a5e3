"""The workshop's pytest plugin: runs the claims of a lesson, and the tests that it names."""

import asyncio
import os
import re

import pytest

from lessons.workshop.course import lesson_index
from lessons.workshop.student.exercise_copies import create_copies

TEST_TIMEOUT = 300  # seconds; a test of the whole suite that runs for longer hangs


class PytestFailure(Exception):
    """A claim is red; the text is what pytest shows."""


class CheckFile(pytest.File):
    """A lesson's check.py. The option `--target` names what it judges."""

    def collect(self):
        # Channels is loaded here: most runs of pytest collect no check.
        from lessons.workshop.engine.process.session import CourseError
        from lessons.workshop.engine.process.target import UnknownTarget, resolve
        from lessons.workshop.judge.claims import Claims

        self.lesson = lesson_index.find(self.path.parent.name)
        target = self.config.getoption("--target") or "exercise"
        if target == "exercise":
            create_copies()  # pytest may be the first command in a fresh clone
        try:
            self.target = resolve(self.lesson, target)
            claims = Claims.of(self.lesson)
        except (UnknownTarget, CourseError) as error:
            raise self.CollectError(str(error)) from None
        for function in claims.functions:
            yield ClaimItem.from_parent(
                self, name=function.__name__, function=function, model=claims.model
            )


class ClaimItem(pytest.Item):
    """One claim. It runs in this process and without a time limit, so a debugger works."""

    def __init__(self, function, model, **kwargs):
        super().__init__(**kwargs)
        self.function = function
        self.model = model

    def runtest(self):
        from lessons.workshop.engine.faults.finding import CheckFailed
        from lessons.workshop.engine.process.session import LocalSession
        from lessons.workshop.judge.claims import Play, run_claim
        from lessons.workshop.judge.verdict import explain_finding, explain_outcome

        lesson = self.parent.lesson
        session = LocalSession(lesson, self.parent.target)
        try:
            outcome = run_claim(self.function, Play(lesson, session, self.model))
        except CheckFailed as failure:
            raise PytestFailure(explain_finding(failure.finding)) from None
        if outcome.state == "red":
            raise PytestFailure(explain_outcome(outcome))

    def repr_failure(self, excinfo, style=None):
        if excinfo.errisinstance(PytestFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        from lessons.workshop.judge.claims import claim_of

        return self.path, self.function.__code__.co_firstlineno - 1, claim_of(self.function)


def pytest_addoption(parser):
    group = parser.getgroup("workshop")
    group.addoption("--lesson", metavar="N", help="run the tests and checks of lesson N (or slug)")
    group.addoption(
        "--target",
        metavar="TARGET",
        help="what a lesson's check.py judges: exercise, solution, mistake:NAME or a path "
        "(default: exercise; with --lesson: solution)",
    )


@pytest.hookimpl(wrapper=True)  # runs before xdist reads the number of processes
def pytest_cmdline_main(config):
    whole = config.args_source is not config.ArgsSource.ARGS
    if hasattr(config, "workerinput"):
        pass  # the main process has chosen already
    elif config.option.lesson:
        _choose_lesson(config, whole)
    elif config.option.target and not re.search(r"check\.py|course", " ".join(config.args)):
        raise pytest.UsageError("--target needs a lesson: --lesson N, or the path of its check.py")
    elif whole:
        _set_up_whole_suite(config)
    return (yield)


def _choose_lesson(config, whole: bool) -> None:
    """Run the lesson's tests and its checks; the checks judge the solution by default."""
    from lessons.workshop.engine.process.session import CourseError
    from lessons.workshop.engine.process.target import UnknownTarget, resolve

    config.option.target = config.option.target or "solution"
    try:
        lesson = lesson_index.find(config.option.lesson)
        own = [str(lesson.tests), str(lesson.check)]
        resolve(lesson, config.option.target)  # reports a wrong target before the tests run
    except (
        *(lesson_index.UnknownLesson, lesson_index.IncompleteLesson),
        *(UnknownTarget, CourseError),
    ) as error:
        raise pytest.UsageError(str(error)) from None
    config.args = own if whole else [*config.args, *own]


def _set_up_whole_suite(config) -> None:
    """Run it on all cores, and let a test that hangs fail.

    A few tests run in this process: workers would start too slowly, and a debugger needs time.
    """
    chosen = ("keyword", "markexpr", "lf", "collectonly", "tx")
    if any(config.getoption(name, None) for name in chosen):
        return
    if config.getoption("numprocesses", 0) is None:  # neither -n4 nor -n0 was given
        config.option.numprocesses = (os.cpu_count() or 1) + 1  # some tests only wait for a process
        if config.getoption("timeout", 0) is None:
            config.option.timeout = TEST_TIMEOUT


def pytest_pycollect_makemodule(module_path, parent):
    """Collect a lesson's check.py as claims, and any other file as usual."""
    is_check = (
        module_path.name == "check.py" and module_path.parent.parent == lesson_index.COURSE_DIR
    )
    return CheckFile.from_parent(parent, path=module_path) if is_check else None


def pytest_asyncio_loop_factories(config, item):
    """Tests with a strict communicator run on the simulated loop, all others on asyncio's."""
    from lessons.workshop.engine.world.loop import SimulatedLoop

    names = {"StrictCommunicator", "StrictHttpCommunicator"}
    strict = item.module and names & vars(item.module).keys()
    return {"observed": SimulatedLoop} if strict else {"usual": asyncio.new_event_loop}
