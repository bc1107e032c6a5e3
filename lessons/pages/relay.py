"""Carries events from the thread that recorded them to the feed, and never holds that thread up."""

import asyncio
import json
from collections import deque

from channels.layers import get_channel_layer

from lessons.pages.feed import LAYER
from lessons.wire.events import Event

LIMIT = 1000  # events waiting; what comes on top is dropped, and the page says how many are missing
BATCH = 100
TOGETHER = 0.02  # seconds: what comes within them travels as one, or each event would cost a frame


class Relay:
    """A recorder's listener for one connection. Makes itself at home in the running loop."""

    def __init__(self, group: str):
        self._group = group
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Event] = deque()
        self._recorded = 0
        self._called = False
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task] = set()

    def __call__(self, event: Event) -> None:
        """Take `event`, in any thread. Writing it down as JSON is left to the loop's own time."""
        if len(self._waiting) < LIMIT:
            self._waiting.append(event)
        self._recorded = event.seq
        if not self._called:
            self._called = True
            self._loop.call_soon_threadsafe(self._loop.call_later, TOGETHER, self._start)

    def _start(self) -> None:
        """No task outlives its batch, so what a task left behind does later is still carried."""
        task = self._loop.create_task(self._forward())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self) -> None:
        async with self._one_at_a_time:
            self._called = False  # first, so that whatever comes from here on calls anew
            left = len(self._waiting)
            while left:
                count = min(BATCH, left)
                left -= count
                events = [self._waiting.popleft().as_json() for _ in range(count)]
                text = json.dumps({"recorded": self._told_by(events), "events": events})
                message = {"type": "feed.events", "text": text}
                await get_channel_layer(LAYER).group_send(self._group, message)

    def _told_by(self, events: list[dict]) -> int:
        """The number up to which a page that has `events` has all there is; a gap is what it lacks.

        With nothing left waiting that is the last number given, dropped events included.
        """
        recorded = self._recorded  # read first: an event that comes meanwhile is waiting then
        return events[-1]["seq"] if self._waiting else recorded
