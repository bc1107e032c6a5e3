"""Carries events from the thread that recorded them to the feed, without blocking that thread."""

import asyncio
from collections import deque

from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import event_text
from lessons.workshop.page.live.feed import Feed
from lessons.workshop.page.python_literal import python_literal

# Events that wait while the loop is busy: the oldest, and the newest of all later ones, because
# the end shows how a flood of events ended. The others are dropped, and the page says how many.
MAX_OLDEST, MAX_NEWEST = 900, 100
MAX_BATCH = 100
# Seconds. All events of one interval are sent together, otherwise each event would cost a frame.
BATCH_INTERVAL = 0.02


class EventForwarder:
    """A recorder's listener for one connection. It posts in the loop in which it was created.

    `client` is the number of the connection's client on the page.
    """

    def __init__(self, feed: Feed, client: int):
        self._feed = feed
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._oldest: deque[Event] = deque()
        self._newest: deque[Event] = deque(maxlen=MAX_NEWEST)
        self._recorded = 0
        self._is_scheduled = False

    def __call__(self, event: Event) -> None:
        """Take `event`, in any thread. The loop writes the JSON later."""
        has_room = len(self._oldest) < MAX_OLDEST and not self._newest
        waiting = self._oldest if has_room else self._newest
        if waiting and waiting[-1].seq == event.seq:  # now with the state that followed it
            waiting[-1] = event
            return
        waiting.append(event)
        self._recorded = max(self._recorded, event.seq)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon_threadsafe(self._loop.call_later, BATCH_INTERVAL, self._post)

    def _post(self) -> None:
        """Post one batch. The loop may do something else before the next one.

        All events up to `recorded` were sent or dropped: none of them will follow. When nothing
        is waiting, it is the last number that was recorded, dropped events included.
        """
        # Reset the flag first, so that any event that arrives from now on schedules again.
        self._is_scheduled = False
        left = len(self._oldest) + len(self._newest)
        if not left:
            return
        waiting = (self._oldest or self._newest for _ in range(min(MAX_BATCH, left)))
        events = [event_json(some.popleft()) for some in waiting]
        recorded = self._recorded  # read this first: an event that arrives now is then waiting
        if self._oldest or self._newest:
            recorded = events[-1]["seq"]
            self._loop.call_soon(self._post)
        self._feed.post({"recorded": recorded, "client": self._client, "events": events})


def event_json(event: Event) -> dict:
    """The event as the page gets it: its data, its line in a transcript, and its full message."""
    texts = {"text": event_text(event.message), "literal": python_literal(event.message)}
    return {**event.as_json(), **texts}
