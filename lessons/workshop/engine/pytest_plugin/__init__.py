"""A pytest plugin: tests of consumers in a simulated world. README.md beside the engine says how.

simulation.py     the server, its clock, its clients
made_layers.py    the layers that modules may have kept
surroundings.py   what the project's code sees: layers, cache, database, clock
refused.py        what the world does not have
source.py         lines in any module of the project
choices.py        what a conversation decides, and the shortest one that fails
explore.py        runs a test once for each conversation
report.py         a fault as text
"""

import inspect
import unittest

import pytest

from . import made_layers  # noqa: F401  (before Django imports the modules of the project)

CONVERSATIONS = 100  # of the mark `explore`, unless it says how many


def pytest_addoption(parser):
    group = parser.getgroup("channels", "consumers of Django Channels")
    group.addoption(
        "--seed",
        type=int,
        metavar="N",
        help="play only conversation N of each test with the mark explore",
    )


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "explore(conversations=100): play the test in so many orders, and shorten one that fails.",
    )


@pytest.fixture(scope="session")
def asgi_application():
    """The application that the world serves: settings.ASGI_APPLICATION, or what a test returns."""
    from channels.routing import get_default_application

    return get_default_application()


@pytest.fixture
def world(request, asgi_application):
    """A simulated world with the project's application."""
    if inspect.iscoroutinefunction(request.function):
        pytest.fail("The world has its own event loop: write `def`, not `async def`.", False)
    from django.test import TransactionTestCase

    from .explore import DECISIONS, WORLD
    from .simulation import World

    databases = {"db", "transactional_db", "django_db_reset_sequences"} & {*request.fixturenames}
    for name in sorted(databases):  # first the database, then the world that uses it
        request.getfixturevalue(name)
    has_mark = request.node.get_closest_marker("django_db") is not None
    is_of_django = issubclass(request.cls or object, TransactionTestCase)
    stash = request.node.stash
    more = {"decisions": stash[DECISIONS]} if DECISIONS in stash else {}
    with World(asgi_application, bool(databases) or has_mark or is_of_django, **more) as made:
        stash[WORLD] = made
        if isinstance(request.instance, unittest.TestCase):  # pytest_pyfunc_call is not for these
            request.instance.addCleanup(made.finish)
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """After a test that is green so far, let the clients of its world leave."""
    result = yield
    if "world" in pyfuncitem.funcargs:
        from .report import ConsumerFault

        try:
            pyfuncitem.funcargs["world"].finish()
        except ConsumerFault as fault:  # no line of the test leads to it
            failed = pytest.fail.Exception(str(fault), pytrace=False)
            failed.finding = fault.finding
            raise failed from None
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the conversation and its transcript to the report of a red test."""
    report = yield
    if report.when == "call" and report.failed and "world" in getattr(item, "funcargs", ()):
        from .explore import SEED, kind_of

        world = item.funcargs["world"]
        title = "conversation"
        if SEED in item.stash:
            title = f"shortest conversation of --seed {item.stash[SEED]}"
        report.sections.append((title, world.conversation))
        report.sections.append(("transcript", world.transcript))
        report.kind = kind_of(call.excinfo)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    if marker := item.get_closest_marker("explore"):
        from .explore import explore

        conversations, *_ = *marker.args, marker.kwargs.get("conversations", CONVERSATIONS)
        return explore(item, nextitem, conversations, item.config.getoption("--seed"))
    return None
