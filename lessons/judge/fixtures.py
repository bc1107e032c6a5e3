"""What a check can ask for by the name of a parameter."""

from contextlib import asynccontextmanager

from lessons.simulator.cache import fresh_cache
from lessons.simulator.channel_layer import ExternalSender, on_redis, packing_layer
from lessons.simulator.check_context import CheckContext
from lessons.simulator.communicator import Strict, StrictCommunicator, StrictHttpCommunicator
from lessons.simulator.controlled_sleep import slow_work
from lessons.simulator.database import fresh_database
from lessons.simulator.finding import CheckFailed, make_finding
from lessons.simulator.interleaving import meanwhile
from lessons.simulator.signal_receivers import signals_of
from lessons.simulator.student_module import loaded_anew, served
from lessons.simulator.worker import worker


@asynccontextmanager
async def communicator(bench: CheckContext):
    """`communicator(path=None, headers=None, subprotocols=None)`: a client of the consumer.

    Every client still there when the check ends leaves with code 1001 and is judged.
    """

    async with _judged(bench):
        yield _clients_of(bench, bench.application)


@asynccontextmanager
async def other_server(bench: CheckContext):
    """As `communicator`, in a second process: it runs the student's file too, and shares nothing.

    What the layers carry is all that the two have in common.
    """
    async with _judged(bench):
        yield _clients_of(bench, served(loaded_anew(bench.subject), bench.lesson))


def _clients_of(bench: CheckContext, application):
    def open_client(path=None, headers=None, subprotocols=None) -> StrictCommunicator:
        client = StrictCommunicator(application, path or bench.lesson.path, headers, subprotocols)
        bench.clients.append(client)
        return client

    return open_client


@asynccontextmanager
async def http(bench: CheckContext):
    """`http(method="GET", path=None, body=b"", headers=None)`: one request to the consumer.

    `body` is bytes or a list of pieces. Every client still there when the check ends closes its
    connection and is judged.
    """

    def open_client(method="GET", path=None, body=b"", headers=None) -> StrictHttpCommunicator:
        client = StrictHttpCommunicator(
            bench.application, method, path or bench.lesson.path, body, headers
        )
        bench.clients.append(client)
        return client

    async with _judged(bench):
        yield open_client


@asynccontextmanager
async def _judged(bench: CheckContext):
    """At the end the clients leave, one by one, and none leaves anything behind."""
    try:
        yield
        for client in bench.clients:
            await client.leave()
    finally:
        for client in bench.clients:
            await client.abandon()


@asynccontextmanager
async def target(bench: CheckContext):
    """The subject itself: a class, or the student's function."""
    yield bench.subject


@asynccontextmanager
async def database(bench: CheckContext):
    """A migrated database without a row, whose server can be restarted."""
    async with fresh_database() as fresh:
        with signals_of(bench.subject):
            yield fresh


@asynccontextmanager
async def cache(bench: CheckContext):
    """An empty cache that all processes share; it lets two of them meet at a chosen moment."""
    async with fresh_cache(lambda: served(loaded_anew(bench.subject), bench.lesson)) as fresh:
        yield fresh


@asynccontextmanager
async def signals(bench: CheckContext):
    """Django's signals reach the subject's file alone. Comes last: others run the file anew."""
    with signals_of(bench.subject):
        yield


@asynccontextmanager
async def layer(bench: CheckContext):
    """The check's channel layer, for what other code sends: `await layer.send(name, message)`."""
    yield ExternalSender(packing_layer())


@asynccontextmanager
async def redis(bench: CheckContext):
    """The Redis behind the layers "default", "pubsub" and "encrypted", which can be lost."""
    with on_redis() as server:
        yield server


FIXTURES = {
    "communicator": communicator,
    "other_server": other_server,
    "redis": redis,
    "http": http,
    "target": target,
    "slow_work": slow_work,
    "layer": layer,
    "database": database,
    "cache": cache,
    "signals": signals,
    "meanwhile": meanwhile,
    "worker": worker,
}


def diagnose(name: str, client: Strict | None = None, detail: str = "", event: str = ""):
    """End the check red, with diagnosis `name` and the transcript of `client`.

    `event` is the type of the one whose handler is at fault, where that is not the last that ran.
    """
    if client is None:
        raise CheckFailed(make_finding(name, detail=detail))
    raise client.red(name, detail, event)
