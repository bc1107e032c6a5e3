"""What the strict communicators share: Daphne's rules are kept, and no clock is waited for."""

import asyncio

from lessons.simulator.database import connections_left_alone
from lessons.simulator.finding import CheckFailed
from lessons.simulator.loop import ObservedLoop
from lessons.simulator.server import FakeServer
from lessons.wire.events import Event
from lessons.wire.transcript import compare, normal

CLOSE_TIMEOUT = 10  # seconds; Daphne's --application-close-timeout


class Strict:
    """The stock communicators' methods, each of which returns once the consumer is at rest.

    What Daphne would refuse, drop or never see is raised as CheckFailed, with its diagnosis.
    Needs an ObservedLoop. As a context manager it lets the client leave at the end and judges
    how the consumer stopped. Mixed into a communicator that has a `leave()`.
    """

    server: FakeServer

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        try:
            if error is None:
                await self.leave()
        finally:
            await self.abandon()

    @property
    def input_queue(self):
        """Events that the consumer has yet to take, as in the stock communicator."""
        return self.server.inbox

    @property
    def transcript(self) -> tuple[Event, ...]:
        """All that crossed so far."""
        return self.server.transcript

    @property
    def unread(self) -> list[dict]:
        """What the consumer sent and nobody has looked at yet."""
        return self.server.unread

    @property
    def finished(self) -> bool:
        """Whether the application has returned."""
        return self.future.done()

    @property
    def at_work(self) -> bool:
        """Whether a handler has begun and not returned: no other event reaches the consumer."""
        return self.server.at_work(self.future)

    # What a client does

    async def send_input(self, message):
        """Hand the consumer an event, any event, and wait until it has dealt with it."""
        if self.server.client_left or self.future.done():
            raise self.red("closed-early", f"The client could not send {message} any more.")
        self.server.put(message)
        await self._settle()

    async def wait(self, timeout=CLOSE_TIMEOUT):
        """Wait until the application has ended, for `timeout` seconds of the loop's clock."""
        await self._settle()
        await asyncio.wait([self.future], timeout=timeout)
        await self._settle()
        if not self.future.done():
            self.server.judge_stubborn_tasks()
            raise self.red(self.server.rules.overdue if self.server.client_left else "still-open")
        self.server.judge_what_is_left(self.server.rules.left_behind)

    async def abandon(self):
        """Leave no task behind, whatever state the consumer is in."""
        if self._future is not None and not self._future.done():
            self._future.cancel()
            await asyncio.wait([self._future], timeout=CLOSE_TIMEOUT)
            # A clean-up may wait for a task that never ends; the second time it is cut short.
            self._future.cancel()
            await asyncio.wait([self._future])
        self.server.drop_stubborn_tasks()
        if self._future is not None and not self._future.cancelled():
            self._future.exception()  # looked at, so that asyncio does not complain

    # What a server does

    async def kill(self):
        """Cancel the application, as Daphne does on SIGTERM and 10 s after a disconnect.

        What it then leaves behind is judged.
        """
        application = self.future  # asking for it starts it
        await self._rest()
        application.cancel()
        await asyncio.wait([self.future], timeout=CLOSE_TIMEOUT)
        await self._rest()
        self.server.judge_after_crash(self.future)

    async def crash(self):
        """Let a handler raise, as a bug in it would, and judge what the consumer leaves behind.

        The bug is an event that has no handler. A consumer that survives it goes on.
        """
        bug = {"type": "bug.in.a.handler"}
        self.server.put(bug)
        await self._rest()
        if self.future.done():
            cause = f"No handler for message type {bug['type']}"
            self.server.judge_after_crash(self.future, cause)

    # What a client sees

    async def receive_output(self, timeout=1):
        """The next event that the consumer sent."""
        await self._something_comes(timeout)
        if not self.unread:
            self.server.judge_dead_tasks()
            raise self.red(self.server.reason_for_silence(self.future))
        return self.unread.pop(0)

    async def receive_nothing(self, timeout=0.1, interval=0.01):
        """Whether the consumer stays silent for `timeout` seconds of the loop's clock."""
        await self._something_comes(timeout)
        return not self.unread

    def expect(self, *events, otherwise=None):
        """All that the consumer sent since the last look equals `events`, or CheckFailed.

        `otherwise` is the id of the diagnosis that a difference gets. What the consumer has done
        wrong while another client was at work, over the layer, goes first.
        """
        if not self.server.told:
            self.server.judge(self.future)
        sent, self.server.unread = self.server.unread, []
        if [normal(event) for event in events] == [normal(message) for message in sent]:
            return
        if len(sent) < len(events):
            self.server.judge_dead_tasks()
        reason = "reply-differs" if sent else self.server.reason_for_silence(self.future)
        raise self.red(otherwise or reason, compare(events, sent))

    def red(self, name: str, detail: str = "", event: str = "") -> CheckFailed:
        """The exception that says: diagnosis `name`, at the handler for `event` or the last one."""
        if event:
            self.server.last_type = event
        return self.server.red(name, detail=detail)

    # How it waits

    async def _something_comes(self, timeout):
        await self._settle()
        if not self.unread:
            self.server.came.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self.server.came.wait()
            except TimeoutError:
                pass
            await self._settle()

    async def _settle(self):
        """Wait until nothing moves, tell of an end that the server made, judge what is seen."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, ObservedLoop):
            raise RuntimeError("a strict communicator needs lessons.simulator.loop.ObservedLoop")
        application = self.future  # asking for it starts it
        await self._rest()
        self.server.judge_replies()
        farewell = self.server.rules.farewell
        if farewell and not self.server.client_left and not application.done():
            closing = self.server.last_type
            self.server.put(farewell)
            await self._rest()
            self.server.judge(application)
            # What a check finds wrong from here on, the handler that closed has done.
            self.server.last_type = closing
        self.server.judge(application)

    async def _rest(self):
        """Let the consumer go on until nothing moves, and judge nothing."""
        with connections_left_alone():
            await asyncio.get_running_loop().settled()
