"""The workshop's pytest plugin: lessons by number, their checks, the loop that they need."""

import asyncio
import os

import pytest

from lessons.core import catalogue


def pytest_addoption(parser):
    group = parser.getgroup("workshop")
    group.addoption("--lesson", metavar="N", help="run the tests and checks of lesson N (or slug)")
    group.addoption(
        "--target",
        metavar="TARGET",
        help="what a lesson's check.py judges: exercise, solution, mistake:NAME or a path "
        "(default: exercise; with --lesson: solution)",
    )


@pytest.hookimpl(wrapper=True)  # before xdist reads how many processes there are to be
def pytest_cmdline_main(config):
    whole = config.args_source is not config.ArgsSource.ARGS
    if hasattr(config, "workerinput"):
        pass  # a worker is told what to run
    elif config.option.lesson:
        _choose_lesson(config, whole)
    elif whole:
        _use_all_cores(config)
    return (yield)


def _choose_lesson(config, whole: bool) -> None:
    """Run the lesson's own tests, and its checks on what should pass them."""
    try:
        lesson = catalogue.find(config.option.lesson)
        own = [str(lesson.tests), str(lesson.check)]
    except (catalogue.UnknownLesson, catalogue.IncompleteLesson) as error:
        raise pytest.UsageError(str(error)) from None
    config.args = own if whole else [*config.args, *own]
    config.option.target = config.option.target or "solution"


def _use_all_cores(config) -> None:
    """Start xdist for the whole suite; for a few tests its workers take longer than the tests."""
    chosen = ("keyword", "markexpr", "lf", "collectonly", "tx")
    if any(config.getoption(name, None) for name in chosen):
        return
    if config.getoption("numprocesses", 0) is None:  # not asked for, and not forbidden by -n0
        config.option.numprocesses = (os.cpu_count() or 1) + 1  # some wait for what they started


def pytest_pycollect_makemodule(module_path, parent):
    from lessons.judge.pytest_checks import collect_checks

    return collect_checks(module_path, parent)


def pytest_asyncio_loop_factories(config, item):
    """Tests that use the strict communicator need its loop; the others get the usual one."""
    from lessons.simulator.loop import SimulatedLoop

    names = {"StrictCommunicator", "StrictHttpCommunicator"}
    strict = item.module and names & vars(item.module).keys()
    return {"observed": SimulatedLoop} if strict else {"usual": asyncio.new_event_loop}
