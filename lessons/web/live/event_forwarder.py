"""Carries events from the thread that recorded them to the feed, and never holds that thread up."""

import asyncio
import json
from collections import deque

from channels.layers import get_channel_layer

from lessons.web.live.page_socket import LAYER
from lessons.wire.events import Event

# Events that wait while the loop is busy: the first ones, and the newest of what comes on top, for
# the end shows how a flood went out. The others are dropped, and the page says how many.
FIRST, NEWEST = 900, 100
BATCH = 100
TOGETHER = 0.02  # seconds: what comes within them travels as one, or each event would cost a frame


class Relay:
    """A recorder's listener for one connection. Makes itself at home in the running loop."""

    def __init__(self, group: str, client: int):
        self._group = group
        self._client = client  # its number on the page
        self._loop = asyncio.get_running_loop()
        self._first: deque[Event] = deque()
        self._newest: deque[Event] = deque(maxlen=NEWEST)
        self._recorded = 0
        self._called = False
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task] = set()

    def __call__(self, event: Event) -> None:
        """Take `event`, in any thread. Writing it down as JSON is left to the loop's own time."""
        has_room = len(self._first) < FIRST and not self._newest
        (self._first if has_room else self._newest).append(event)
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
            left = len(self._first) + len(self._newest)
            while left:
                events = [self._next().as_json() for _ in range(min(BATCH, left))]
                left -= len(events)
                batch = {"recorded": self._told_by(events), "client": self._client}
                text = json.dumps({**batch, "events": events})
                message = {"type": "feed.events", "text": text}
                await get_channel_layer(LAYER).group_send(self._group, message)

    def _next(self) -> Event:
        return (self._first or self._newest).popleft()

    def _told_by(self, events: list[dict]) -> int:
        """The number up to which a page that has `events` has all there is; a gap is what it lacks.

        With nothing left waiting that is the last number given, dropped events included.
        """
        recorded = self._recorded  # read first: an event that comes meanwhile is waiting then
        return events[-1]["seq"] if self._first or self._newest else recorded
