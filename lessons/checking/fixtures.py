"""What a check can ask for by the name of a parameter."""

from contextlib import asynccontextmanager

from lessons.catalogue import Lesson
from lessons.checking.cache import fresh_cache
from lessons.checking.communicator import StrictCommunicator
from lessons.checking.database import fresh_database
from lessons.checking.finding import Red, Source, find, place_at_work, place_of_error
from lessons.checking.http_communicator import StrictHttpCommunicator
from lessons.checking.layer import Elsewhere, packing_layer
from lessons.checking.meanwhile import meanwhile
from lessons.checking.outage import on_redis
from lessons.checking.signals import signals_of
from lessons.checking.slow import slow_work
from lessons.checking.strict import Strict
from lessons.checking.target import loaded_anew, served
from lessons.checking.worker import Workers, worker
from lessons.wire.events import Event


class Bench:
    """The subject under judgement, and every connection opened to it in one check."""

    def __init__(self, lesson: Lesson, subject):
        self.lesson = lesson
        self.subject = subject
        self.source = Source(subject)
        self.clients: list[Strict] = []
        self.workers: list[Workers] = []

    @property
    def application(self):
        """The subject as it is served."""
        return served(self.subject, self.lesson)

    @property
    def transcript(self) -> tuple[Event, ...]:
        """What crossed on all connections, and in workers, so far, in the order of time."""
        seen = (*self.clients, *self.workers)
        events = (event for one in seen for event in one.transcript)
        return tuple(sorted(events, key=lambda event: event.time))

    @property
    def last_event(self) -> str:
        """Type of the event that was handled last."""
        handled = [event for event in self.transcript if event.direction == "in"]
        return str(handled[-1].message.get("type", "")) if handled else ""

    def red(self, name: str, error: BaseException | None = None, detail: str = "") -> Red:
        """Red with diagnosis `name`, at the line that `error` came from or that is at work."""
        file = self.source.file
        place = place_of_error(file, error) if error else place_at_work(file)
        place = place or self.source.place_of_handler(self.last_event)
        return Red(find(name, place, self.last_event, detail), self.transcript)


@asynccontextmanager
async def communicator(bench: Bench):
    """`communicator(path=None, headers=None, subprotocols=None)`: a client of the consumer.

    Every client still there when the check ends leaves with code 1001 and is judged.
    """

    async with _judged(bench):
        yield _clients_of(bench, bench.application)


@asynccontextmanager
async def other_server(bench: Bench):
    """As `communicator`, in a second process: it runs the student's file too, and shares nothing.

    What the layers carry is all that the two have in common.
    """
    async with _judged(bench):
        yield _clients_of(bench, served(loaded_anew(bench.subject), bench.lesson))


def _clients_of(bench: Bench, application):
    def open_client(path=None, headers=None, subprotocols=None) -> StrictCommunicator:
        client = StrictCommunicator(application, path or bench.lesson.path, headers, subprotocols)
        bench.clients.append(client)
        return client

    return open_client


@asynccontextmanager
async def http(bench: Bench):
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
async def _judged(bench: Bench):
    """At the end the clients leave, one by one, and none leaves anything behind."""
    try:
        yield
        for client in bench.clients:
            await client.leave()
    finally:
        for client in bench.clients:
            await client.abandon()


@asynccontextmanager
async def target(bench: Bench):
    """The subject itself: a class, or the student's function."""
    yield bench.subject


@asynccontextmanager
async def database(bench: Bench):
    """A migrated database without a row, whose server can be restarted."""
    async with fresh_database() as fresh:
        with signals_of(bench.subject):
            yield fresh


@asynccontextmanager
async def cache(bench: Bench):
    """An empty cache that all processes share; it lets two of them meet at a chosen moment."""
    async with fresh_cache(lambda: served(loaded_anew(bench.subject), bench.lesson)) as fresh:
        yield fresh


@asynccontextmanager
async def signals(bench: Bench):
    """Django's signals reach the subject's file alone. Comes last: others run the file anew."""
    with signals_of(bench.subject):
        yield


@asynccontextmanager
async def layer(bench: Bench):
    """The check's channel layer, for what other code sends: `await layer.send(name, message)`."""
    yield Elsewhere(packing_layer())


@asynccontextmanager
async def redis(bench: Bench):
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
        raise Red(find(name, detail=detail))
    raise client.red(name, detail, event)
