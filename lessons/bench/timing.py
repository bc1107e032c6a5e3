"""A pytest plugin: how long each module's tests took, set-up and teardown included.

`-p lessons.bench.timing --times FOLDER`: each process of the run writes a file of its own there.
"""

import json
import os
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import psutil
import pytest


def pytest_addoption(parser):
    parser.addoption("--times", metavar="FOLDER", help="write each module's times there, as JSON")


def pytest_configure(config):
    if config.option.times:
        config.pluginmanager.register(_Times(Path(config.option.times)))


class _Times:
    def __init__(self, folder: Path):
        self.folder = folder
        self.used = used_so_far()
        self.modules = defaultdict(lambda: {"tests": 0, "seconds": 0.0, "processor": 0.0})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        started = time.perf_counter()
        try:
            return (yield)
        finally:
            elapsed, before, self.used = time.perf_counter() - started, self.used, used_so_far()
            module = self.modules[item.nodeid.partition("::")[0]]
            module["tests"] += 1
            module["seconds"] += elapsed
            module["processor"] += self.used - before

    def pytest_sessionfinish(self):
        (self.folder / f"{os.getpid()}.json").write_text(json.dumps(self.modules), encoding="utf-8")


def used_so_far() -> float:
    """The same, and what those have used that are still there: exercises are judged by them."""
    used = processor_seconds()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            used += sum(child.cpu_times()[:4])
    return used


def processor_seconds() -> float:
    """What this process has used, and those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
