"""The fixtures of checks: a check asks for one by the name of a parameter."""

from contextlib import asynccontextmanager

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

    A client that is still connected when the check ends disconnects with code 1001.
    """

    async with _disconnected(context):
        yield _client_factory(context, context.application)


@asynccontextmanager
async def other_server(context: CheckContext):
    """As `communicator`, for a second server process, which imports the student's file again.

    The two processes share the channel layers and nothing else.
    """
    async with _disconnected(context):
        yield _client_factory(
            context, application_for(reload_subject(context.subject), context.lesson)
        )


def _client_factory(context: CheckContext, application):
    def open_client(path=None, headers=None, subprotocols=None) -> StrictCommunicator:
        client = StrictCommunicator(application, path or context.lesson.path, headers, subprotocols)
        context.clients.append(client)
        return client

    return open_client


@asynccontextmanager
async def http(context: CheckContext):
    """`http(method="GET", path=None, body=b"", headers=None)`: one request to the consumer.

    `body` is bytes or a list of pieces. A client that is still connected when the check ends
    closes its connection.
    """

    def open_client(method="GET", path=None, body=b"", headers=None) -> StrictHttpCommunicator:
        client = StrictHttpCommunicator(
            context.application, method, path or context.lesson.path, body, headers
        )
        context.clients.append(client)
        return client

    async with _disconnected(context):
        yield open_client


@asynccontextmanager
async def _disconnected(context: CheckContext):
    """At the end disconnect the clients, one after the other, and judge how each ends."""
    try:
        yield
        for client in context.clients:
            await client.leave()
    finally:
        for client in context.clients:
            await client.cancel_application()


@asynccontextmanager
async def target(context: CheckContext):
    """What the student wrote: a class or a function."""
    yield context.subject


@asynccontextmanager
async def database(context: CheckContext):
    """A migrated, empty database, whose server can be restarted."""
    async with fresh_database() as fresh:
        with isolated_signals(context.subject):
            yield fresh


@asynccontextmanager
async def signals(context: CheckContext):
    """Only the student's file receives Django's signals.

    This is the last parameter of a check, because other fixtures import the file again.
    """
    with isolated_signals(context.subject):
        yield


@asynccontextmanager
async def external_sender(context: CheckContext):
    """Sends as other code does, such as a view: `await external_sender.send(channel, message)`."""
    yield ExternalSender(current_layer())


@asynccontextmanager
async def redis(context: CheckContext):
    """The Redis server behind the layers "default", "pubsub" and "encrypted". It can fail."""
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
    "signals": signals,
    "interleaving": interleaving,
    "worker": worker,
}


def diagnose(name: str, client: StrictClient | None = None, detail: str = "", event: str = ""):
    """Fail the check with diagnosis `name` and the transcript of `client`.

    `event` is the type of the event whose handler is wrong; by default that of the last event.
    """
    if client is None:
        raise CheckFailed(make_finding(name, detail=detail))
    raise client.failure(name, detail, event)
