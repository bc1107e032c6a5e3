"""The server's side of a test connection: it stands in for Daphne, and sees how it is treated."""

import asyncio

from lessons.checking.diagnoses import recognise
from lessons.checking.finding import Place, Red, Source, find, place_at_work, place_of_error
from lessons.checking.rules import BrokenRule, DaphneRules, State
from lessons.wire.events import Event
from lessons.wire.middleware import RecordingMiddleware
from lessons.wire.recorder import Recorder


class StandIn:
    """Hands a consumer its events, takes what it sends by Daphne's rules, judges what it did.

    `unread` holds what a client would have received and has not looked at yet, `last_type` the
    type of the event whose handler is held responsible for what comes next.
    """

    def __init__(self, application, subprotocols=()):
        self.recorder = Recorder()
        self.rules = DaphneRules(subprotocols)
        self.source = Source(application)
        self.inbox: asyncio.Queue = asyncio.Queue()
        self.unread: list[dict] = []
        self.came = asyncio.Event()
        self.told = False  # a Red was raised: what comes after it is its consequence
        self._application = RecordingMiddleware(application, self.recorder)
        self._asked, self._handed = 0, 0
        self.last_type = ""
        self._broken: list[tuple[BrokenRule, Place]] = []

    async def serve(self, scope, receive, send):
        """Run the application: an ASGI application in place of the one that is judged."""
        await self._application(scope, self._hand_over, self._take)

    @property
    def transcript(self) -> tuple[Event, ...]:
        return tuple(self.recorder.events)

    @property
    def started(self) -> bool:
        """Whether the consumer has asked for its first event."""
        return self._asked > 0

    @property
    def client_left(self) -> bool:
        return self.rules.state is State.GONE

    def put(self, message: dict) -> None:
        """Let an event arrive."""
        if message.get("type") == "websocket.disconnect":
            self.rules.client_left()
        self.inbox.put_nowait(message)

    async def _hand_over(self):
        self._asked += 1
        message = await self.inbox.get()
        self._handed += 1
        self.last_type = message.get("type", "")
        return message

    async def _take(self, message):
        try:
            self.rules.take(message)
        except BrokenRule as broken:
            place = place_at_work(self.source.file)
            self._broken.append((broken, place or self._place_of_handler()))
            if broken.error:
                raise broken.error from None
            return
        if not self.client_left:
            self.unread.append(message)
            self.came.set()

    def red(self, name: str, place: Place | None = None, detail: str = "") -> Red:
        """The exception that says: diagnosis `name`, by default at the last handler that ran."""
        self.told = True
        place = place or self._place_of_handler()
        return Red(find(name, place, self.last_type, detail), self.transcript)

    def reason_for_silence(self, application: asyncio.Future) -> str:
        """Id of the diagnosis for a client that waits in vain."""
        at_work = not application.done() and not self._handler_returned()
        return "handler-never-returned" if at_work else "no-reply"

    def judge_replies(self) -> None:
        """Raise Red for a reply that Daphne would have dropped without a word."""
        for broken, place in self._broken:
            if broken.error is None:
                raise self.red(broken.diagnosis, place)

    def judge(self, application: asyncio.Future) -> None:
        """Raise Red for what can be seen to be wrong while nothing moves."""
        self.judge_replies()
        if application.done():
            self._judge_the_end(application)
        elif self._handler_returned():
            self._judge_the_pause()

    def _judge_the_end(self, application: asyncio.Future) -> None:
        error = None if application.cancelled() else application.exception()
        if error is not None:
            raise self._red_for(error) from error
        if self.rules.state is State.OPEN:
            raise self.red("zombie")
        if self.rules.state is State.CONNECTING:
            raise self.red("stopped-unanswered")

    def _judge_the_pause(self) -> None:
        if self.client_left:
            raise self.red("no-stop-consumer")
        if self.last_type == "websocket.connect" and self.rules.state is State.CONNECTING:
            raise self.red("no-accept")

    def _red_for(self, error: BaseException) -> Red:
        detail = f"{type(error).__name__}: {error}"
        for broken, place in self._broken:
            if broken.error is error:
                return self.red(broken.diagnosis, place, detail)
        name, place = recognise(error), place_of_error(self.source.file, error)
        if name == "def-handler-in-async-consumer" and place:
            name = "awaited-none"  # Channels awaits the handlers; this await is the student's own
        return self.red(name, place, detail)

    def _handler_returned(self) -> bool:
        """Whether the consumer asks for its next event: it does so when a handler has returned."""
        return self._asked > self._handed and self.inbox.empty()

    def _place_of_handler(self) -> Place:
        return self.source.place_of_handler(self.last_type)
