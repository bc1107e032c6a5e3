"""A WebsocketCommunicator that holds a consumer to Daphne's rules and waits for no clock."""

import asyncio
from unittest import mock

from channels.testing import WebsocketCommunicator

from lessons.checking.diagnoses import recognise
from lessons.checking.finding import Place, Red, Source, find, place_at_work, place_of_error
from lessons.checking.loop import ObservedLoop
from lessons.checking.rules import BrokenRule, DaphneRules, State
from lessons.wire.events import Event
from lessons.wire.middleware import RecordingMiddleware
from lessons.wire.recorder import Recorder
from lessons.wire.transcript import compare, normal

HANDSHAKE_TIMEOUT = 5  # seconds; Daphne's --websocket_handshake_timeout under runserver
CLOSE_TIMEOUT = 10  # seconds; Daphne's --application-close-timeout


class StrictCommunicator(WebsocketCommunicator):
    """The stock communicator's methods, each of which returns once the consumer is at rest.

    What Daphne would refuse, drop or never see is raised as Red, with its diagnosis. Needs an
    ObservedLoop. As a context manager it lets the client leave (code 1001) at the end and judges
    how the consumer stopped.
    """

    def __init__(self, application, path, headers=None, subprotocols=None, spec_version=None):
        self.recorder = Recorder()
        self.rules = DaphneRules(subprotocols or ())
        self.source = Source(application)
        self.unread: list[dict] = []
        self._came = asyncio.Event()
        self._handed, self._asked = 0, 0
        self._last_type = ""
        self._left = False
        self._told = False
        self._broken: list[tuple[BrokenRule, Place]] = []
        recorded = RecordingMiddleware(application, self.recorder)

        async def served(scope, receive, send):
            await recorded(scope, self._hand_over, self._take)

        super().__init__(served, path, headers, subprotocols, spec_version)

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        try:
            if error is None:
                await self.leave()
        finally:
            await self.abandon()

    @property
    def transcript(self) -> tuple[Event, ...]:
        """All that crossed so far."""
        return tuple(self.recorder.events)

    @property
    def closed(self) -> int | None:
        """The code that the consumer closed with (1006: refused); None while it has not."""
        return self.rules.close_code

    @property
    def finished(self) -> bool:
        """Whether the application has returned."""
        return self.future.done()

    # What a client does

    async def send_input(self, message):
        """Hand the consumer an event, any event, and wait until it has dealt with it."""
        kind = message.get("type", "")
        if self._left or self.future.done():
            raise self.red("closed-early", detail=f"The client could not send {message} any more.")
        if kind == "websocket.disconnect":
            self._left = True
            self.rules.client_left()
        await self.input_queue.put(message)
        await self._settle()

    async def send_to(self, text_data=None, bytes_data=None):
        """Send one frame; an empty one is a frame too."""
        if (text_data is None) == (bytes_data is None):
            raise TypeError("give exactly one of text_data and bytes_data")
        key, data = ("text", text_data) if bytes_data is None else ("bytes", bytes_data)
        if not isinstance(data, str if key == "text" else bytes):
            raise TypeError(f"{key}_data is a {type(data).__name__}")
        await self.send_input({"type": "websocket.receive", key: data})

    async def connect(self, timeout=HANDSHAKE_TIMEOUT):
        """Offer the handshake: (True, subprotocol) or (False, close code)."""
        return await super().connect(timeout)

    async def disconnect(self, code=1000, timeout=CLOSE_TIMEOUT):
        """Leave with `code` (None: a browser's bare close()); the consumer must then stop."""
        if not self._left and not self.future.done():
            await self.send_input({"type": "websocket.disconnect", "code": code})
        await self.wait(timeout)

    async def wait(self, timeout=CLOSE_TIMEOUT):
        """Wait until the application has ended, for `timeout` seconds of the loop's clock."""
        await self._settle()
        await asyncio.wait([self.future], timeout=timeout)
        await self._settle()
        if not self.future.done():
            raise self.red("handler-never-returned" if self._left else "still-open")

    async def leave(self):
        """End as most clients do, by going to another page, if the connection still stands."""
        if self._asked and not self._told:
            await self.disconnect(1001)

    async def abandon(self):
        """Leave no task behind, whatever state the consumer is in."""
        if self._future is not None and not self._future.done():
            self._future.cancel()
            await asyncio.wait([self._future])
        if self._future is not None and not self._future.cancelled():
            self._future.exception()

    # What a client sees

    async def receive_output(self, timeout=1):
        """The next event that the consumer sent."""
        await self._settle()
        if not self.unread:
            await self._something_comes(timeout)
        if not self.unread:
            raise self.red(self._reason_for_silence())
        return self.unread.pop(0)

    async def receive_from(self, timeout=1):
        """Payload of the next frame, str or bytes."""
        message = await self.receive_output(timeout)
        if message["type"] != "websocket.send":
            raise self.red("closed-early", detail=f"Instead of a frame came {message}.")
        text = message.get("text")
        return message.get("bytes") if text is None else text

    async def receive_nothing(self, timeout=0.1, interval=0.01):
        """Whether the consumer stays silent for `timeout` seconds of the loop's clock."""
        await self._settle()
        if not self.unread:
            await self._something_comes(timeout)
        return not self.unread

    def expect(self, *events, otherwise=None):
        """All that the consumer sent since the last look equals `events`, or Red.

        `otherwise` is the id of the diagnosis that a difference gets.
        """
        sent, self.unread = self.unread, []
        if [normal(event) for event in events] == [normal(message) for message in sent]:
            return
        name = otherwise or ("reply-differs" if sent else self._reason_for_silence())
        raise self.red(name, detail=compare(events, sent))

    def red(self, name: str, place: Place | None = None, detail: str = "") -> Red:
        """The exception that says: diagnosis `name`, by default at the last handler that ran."""
        self._told = True
        place = place or self.source.place_of_handler(self._last_type)
        return Red(find(name, place, self._last_type, detail), self.transcript)

    # The server's side

    async def _hand_over(self):
        self._asked += 1
        message = await self.input_queue.get()
        self._handed += 1
        self._last_type = message.get("type", "")
        return message

    async def _take(self, message):
        try:
            self.rules.take(message)
        except BrokenRule as broken:
            place = place_at_work(self.source.file)
            self._broken.append((broken, place or self.source.place_of_handler(self._last_type)))
            if broken.error:
                raise broken.error from None
            return
        if self.rules.state is not State.GONE:
            self.unread.append(message)
            self._came.set()

    async def _something_comes(self, timeout):
        self._came.clear()
        try:
            async with asyncio.timeout(timeout):
                await self._came.wait()
        except TimeoutError:
            pass
        await self._settle()

    async def _settle(self):
        """Wait until nothing moves, let the client of a closed socket go, judge what is seen."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, ObservedLoop):
            raise RuntimeError("StrictCommunicator needs lessons.checking.loop.ObservedLoop")
        self.future  # noqa: B018 - the property starts the application
        with mock.patch("channels.db.close_old_connections", return_value=None):
            await loop.settled()
            self._judge_replies()
            if self.rules.close_code is not None and not self._left and not self.future.done():
                closing_type = self._last_type
                code = self.rules.close_code
                await self.send_input({"type": "websocket.disconnect", "code": code})
                # What a check finds wrong from here on, the handler that closed has done.
                self._last_type = closing_type
        self._judge()

    def _judge_replies(self):
        for broken, place in self._broken:
            if broken.error is None:
                raise self.red(broken.diagnosis, place)

    def _judge(self):
        self._judge_replies()
        if self.future.done():
            self._judge_the_end()
        elif self._handler_returned():
            self._judge_the_pause()

    def _judge_the_end(self):
        error = None if self.future.cancelled() else self.future.exception()
        if error is not None:
            raise self._red_for(error) from error
        if not self._left and self.rules.state is State.OPEN:
            raise self.red("zombie")
        if not self._left and self.rules.state is State.CONNECTING:
            raise self.red("stopped-unanswered")

    def _handler_returned(self) -> bool:
        """Whether the consumer asks for its next event: it does so when a handler has returned."""
        return self._asked > self._handed and self.input_queue.empty()

    def _reason_for_silence(self) -> str:
        at_work = not self.future.done() and not self._handler_returned()
        return "handler-never-returned" if at_work else "no-reply"

    def _judge_the_pause(self):
        """The last handler has returned, and the consumer goes on."""
        if self._left:
            raise self.red("no-stop-consumer")
        if self._last_type == "websocket.connect" and self.rules.state is State.CONNECTING:
            raise self.red("no-accept")

    def _red_for(self, error: BaseException) -> Red:
        detail = f"{type(error).__name__}: {error}"
        for broken, place in self._broken:
            if broken.error is error:
                return self.red(broken.diagnosis, place, detail)
        return self.red(recognise(error), place_of_error(self.source.file, error), detail)
