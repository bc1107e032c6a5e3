"""Fixtures for every test, and the order in which the tests run on several processes."""

import os
import signal

import pytest
from asgiref.sync import SyncToAsync
from channels.layers import InMemoryChannelLayer, channel_layers
from django.db import connections
from django.test import SimpleTestCase

from lessons.workshop.engine.process import pool
from lessons.workshop.engine.process.child_process import use_sqlite
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.setup.external_programs import REDIS
from lessons.workshop.setup.redis_server import RedisServer, find_binaries
from tests.support.courses import (  # noqa: F401 - fixtures for every folder
    compiled,
    course,
    fresh_course,
    judge_lamp,
    lesson,
    project,
)
from tests.support.required_programs import CHROMIUM, find_program, skip_or_fail

# A shell starts a background command with SIGINT ignored, and each program that a test starts would
# inherit that. Some tests interrupt such a program.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests, and the programs that they start, have their own SQLite files.
use_sqlite()
os.environ.pop("DATABASE_URL", None)

if "PYTEST_XDIST_WORKER" in os.environ:
    pool.PROCESSES = 1  # the tests already run side by side


@pytest.hookimpl(optionalhook=True)  # the run of the mutants does not use xdist
def pytest_xdist_make_scheduler(config, log):
    """Run tests that share a server, a browser, a .venv or a class in one process, and first.

    The mark xdist_group of xdist does nothing with pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class FileScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            folder = file.rpartition("/")[0]
            if folder in ("tests/real/browser", "tests/real/plugin", "tests/real/postgresql"):
                return folder
            shared = (
                *("test_facts_", "test_faults_", "first_start", "public_server"),
                *("test_grade_command", "test_stock_proofs", "tests/real/page/"),
            )
            shares = any(name in file for name in shared)
            return file if shares else nodeid

    return FileScheduling(config, log)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory):
    """Give each process its own test database, so that two runs at once do not share a file."""
    from django.conf import settings

    file = tmp_path_factory.mktemp("database") / "test.sqlite3"
    settings.DATABASES["default"]["TEST"]["NAME"] = str(file)


@pytest.fixture(autouse=True)
def no_open_connections(request):
    """Close what an earlier test left open, before a test that must not use the database.

    Before each handler, Channels looks at the connections of its thread. An open one would make it
    use the database. The thread is that of sync handlers; under async_to_sync, it is the test's.
    """
    uses_database = request.node.get_closest_marker("django_db") is not None
    is_django_test = issubclass(request.cls or object, SimpleTestCase)
    if not (uses_database or is_django_test or "db" in request.fixturenames):
        connections.close_all()
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


@pytest.fixture(autouse=True)
def empty_channel_layers():
    """Remove what clients of an earlier test left in memory: groups and messages.

    A client that does not disconnect stays a member. All tests of a process share the layers.
    """
    for layer in channel_layers.backends.values():
        recorded = getattr(layer, "layer", layer)  # a recording layer passes its calls on
        if isinstance(recorded, InMemoryChannelLayer):
            recorded.channels.clear()
            recorded.groups.clear()


@pytest.fixture
def simulated_layer():
    """The simulated layer, which only this test uses."""
    with fresh_layers() as layer:
        yield layer


@pytest.fixture
async def database(simulated_layer):
    """The simulated layer, and an empty database that only this test uses."""
    async with fresh_database() as database:
        yield database


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium."""
    return find_program(CHROMIUM)


@pytest.fixture(scope="session")
def redis_binaries() -> list[str]:
    """Paths of the Redis servers that a test may start and kill."""
    return find_binaries() or skip_or_fail(REDIS.missing())


@pytest.fixture(scope="session")
def redis_url(request):
    """The address of a real Redis: REDIS_URL, or a server that this process starts.

    Other programs may use the same Redis, so each layer on it needs its own prefix.
    """
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    request.getfixturevalue("redis_binaries")
    with RedisServer() as server:
        yield server.url
