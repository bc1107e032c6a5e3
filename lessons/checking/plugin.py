"""The workshop's pytest plugin: lessons by number, their checks, the loop they need, real parts."""

import asyncio
import os

import pytest

from lessons import catalogue


def pytest_addoption(parser):
    group = parser.getgroup("workshop")
    group.addoption("--lesson", metavar="N", help="run the tests and checks of lesson N (or slug)")
    group.addoption(
        "--target",
        metavar="TARGET",
        help="what a lesson's check.py judges: exercise, solution, mistake:NAME or a path "
        "(default: exercise; with --lesson: solution)",
    )


def pytest_pycollect_makemodule(module_path, parent):
    from lessons.checking.collecting import collect_checks

    return collect_checks(module_path, parent)


def pytest_asyncio_loop_factories(config, item):
    """Tests that use the strict communicator need its loop; the others get the usual one."""
    from lessons.checking.loop import ObservedLoop

    strict = item.module and hasattr(item.module, "StrictCommunicator")
    return {"observed": ObservedLoop} if strict else {"usual": asyncio.new_event_loop}
