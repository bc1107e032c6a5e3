"""What a check can ask for by the name of a parameter."""

from contextlib import asynccontextmanager

from lessons.simulator.cache import fresh_cache
from lessons.simulator.channel_layer import ExternalSender, current_layer, fake_redis
from lessons.simulator.check_context import CheckContext
from lessons.simulator.communicator import StrictClient, StrictCommunicator, StrictHttpCommunicator
from lessons.simulator.controlled_sleep import held_sleep
from lessons.simulator.database import fresh_database
from lessons.simulator.finding import CheckFailed, make_finding
from lessons.simulator.interleaving import interleaving
from lessons.simulator.signal_receivers import isolated_signals
from lessons.simulator.student_module import application_for, reload_subject
from lessons.simulator.worker import worker


@asynccontextmanager
async def communicator(context: CheckContext):
    """`communicator(path=None, headers=None, subprotocols=None)`: a client of the consumer.

    Every client still there when the check ends leaves with code 1001 and is judged.
    """

    async with _judged(context):
        yield _clients_of(context, context.application)


@asynccontextmanager
async def other_server(context: CheckContext):
    """As `communicator`, in a second process: it runs the student's file too, and shares nothing.

    What the layers carry is all that the two have in common.
    """
    async with _judged(context):
        yield _clients_of(context, application_for(reload_subject(context.subject), context.lesson))


def _clients_of(context: CheckContext, application):
    def open_client(path=None, headers=None, subprotocols=None) -> StrictCommunicator:
        client = StrictCommunicator(application, path or context.lesson.path, headers, subprotocols)
        context.clients.append(client)
        return client

    return open_client


@asynccontextmanager
async def http(context: CheckContext):
    """`http(method="GET", path=None, body=b"", headers=None)`: one request to the consumer.

    `body` is bytes or a list of pieces. Every client still there when the check ends closes its
    connection and is judged.
    """

    def open_client(method="GET", path=None, body=b"", headers=None) -> StrictHttpCommunicator:
        client = StrictHttpCommunicator(
            context.application, method, path or context.lesson.path, body, headers
        )
        context.clients.append(client)
        return client

    async with _judged(context):
        yield open_client


@asynccontextmanager
async def _judged(context: CheckContext):
    """At the end the clients leave, one by one, and none leaves anything behind."""
    try:
        yield
        for client in context.clients:
            await client.leave()
    finally:
        for client in context.clients:
            await client.cancel_application()


@asynccontextmanager
async def target(context: CheckContext):
    """The subject itself: a class, or the student's function."""
    yield context.subject


@asynccontextmanager
async def database(context: CheckContext):
    """A migrated database without a row, whose server can be restarted."""
    async with fresh_database() as fresh:
        with isolated_signals(context.subject):
            yield fresh


@asynccontextmanager
async def cache(context: CheckContext):
    """An empty cache that all processes share; it lets two of them meet at a chosen moment."""
    async with fresh_cache(
        lambda: application_for(reload_subject(context.subject), context.lesson)
    ) as fresh:
        yield fresh


@asynccontextmanager
async def signals(context: CheckContext):
    """Django's signals reach the subject's file alone. Comes last: others run the file anew."""
    with isolated_signals(context.subject):
        yield


@asynccontextmanager
async def external_sender(context: CheckContext):
    """Sends as other code does, such as a view: `await external_sender.send(channel, message)`."""
    yield ExternalSender(current_layer())


@asynccontextmanager
async def redis(context: CheckContext):
    """The Redis behind the layers "default", "pubsub" and "encrypted", which can be lost."""
    with fake_redis() as server:
        yield server


FIXTURES = {
    "communicator": communicator,
    "other_server": other_server,
    "redis": redis,
    "http": http,
    "target": target,
    "held_sleep": held_sleep,
    "external_sender": external_sender,
    "database": database,
    "cache": cache,
    "signals": signals,
    "interleaving": interleaving,
    "worker": worker,
}


def diagnose(name: str, client: StrictClient | None = None, detail: str = "", event: str = ""):
    """End the check red, with diagnosis `name` and the transcript of `client`.

    `event` is the type of the one whose handler is at fault, where that is not the last that ran.
    """
    if client is None:
        raise CheckFailed(make_finding(name, detail=detail))
    raise client.failure(name, detail, event)
