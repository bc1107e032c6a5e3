"""What every test may ask for."""

import os
from functools import partial

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections

from lessons.bench.browser import NO_CHROMIUM, find_chromium
from lessons.core.redis_server import INSTALL_HINT, RedisServer, find_binaries
from tests.support.courses import (  # noqa: F401 - fixtures for every folder
    accept,
    compiled,
    course,
    fresh_course,
    judge_lamp,
    lesson,
    project,
)
from tests.support.required_programs import skip_or_fail


@pytest.hookimpl(optionalhook=True)  # mutants are run without xdist
def pytest_xdist_make_scheduler(config, log):
    """Tests that share a server, a browser or an environment go to one process, and go first.

    xdist's own way, the mark xdist_group, does nothing with pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            if file.startswith("tests/browser/"):
                return "tests/browser/"
            shares = "test_facts_" in file or "test_faults_" in file or "bootstrap" in file
            return file if shares else nodeid

    return Together(config, log)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory):
    """A test database of this process's own: two runs at once do not meet in one file."""
    from django.conf import settings

    file = tmp_path_factory.mktemp("database") / "test.sqlite3"
    settings.DATABASES["default"]["TEST"]["NAME"] = str(file)


@pytest.fixture(autouse=True)
def no_connection_left_in_the_handlers_thread(request):
    """A test that used the database leaves it closed in the thread of sync handlers as well.

    Channels looks after the connections that it finds there before each handler, and would do so
    in the next test, which may not be allowed to.
    """
    yield
    if request.node.get_closest_marker("django_db"):
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture
def forked_servers(monkeypatch):
    """The servers of a benchmark need not import what those of the tests have imported already."""
    from tests.support.programs.processes import start_program

    monkeypatch.setattr(
        "lessons.bench.processes.start_program", partial(start_program, with_errors=False)
    )


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real browser."""
    return find_chromium() or skip_or_fail(NO_CHROMIUM)


@pytest.fixture(scope="session")
def redis_binaries() -> list[str]:
    """Paths of the Redis servers that a test may start, and kill."""
    return find_binaries() or skip_or_fail(
        f"There is no Redis server on this machine: {INSTALL_HINT}"
    )


@pytest.fixture(scope="session")
def redis_url(request):
    """The address of a real Redis: REDIS_URL, or a server of this process's own.

    Others may use it too, so a layer on it needs a prefix of its own.
    """
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    request.getfixturevalue("redis_binaries")
    with RedisServer() as server:
        yield server.url
