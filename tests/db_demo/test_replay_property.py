"""Property: the solution sends each row once and in order; the demo's counts are always right.

Hypothesis generates the stories: writers, lost messages, and clients that connect, send and lose
their connection with undelivered frames. Another process may write in the middle of each step.
"""

import asyncio
import json
from contextlib import nullcontext

import pytest
from channels.layers import get_channel_layer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db_demo.consumers import EntryCounter
from db_demo.models import Entry
from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.target import resolve
from lessons.workshop.engine.world.channel_layer import SerializingLayer, fresh_layers
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.interleaving import interleaving
from lessons.workshop.engine.world.loop import SimulatedLoop
from lessons.workshop.engine.world.student_module import load_subject
from lessons.workshop.judge import StrictCommunicator

CLIENTS = (0, 1)
ENDS = ("disconnect", "crash", "kill")

clients = st.sampled_from(CLIENTS)
notifies = st.booleans()  # whether the writer sends the message before it ends
# Each step, and the point in it at which another process writes.
story_steps = st.tuples(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 3), notifies),
        st.tuples(st.just("connect"), clients, st.integers(0, 3), st.sampled_from(ENDS)),
        st.tuples(st.just("send"), clients),
    ),
    st.sampled_from((None, *range(8))),
)
stories = st.lists(story_steps, min_size=4, max_size=12)
losses = st.lists(st.booleans(), max_size=20)  # for each message, whether the layer loses it


class LossyLayer(SerializingLayer):
    """A layer that loses messages, as `losses` says."""

    def __init__(self, losses):
        super().__init__()
        self.losses = list(losses)

    async def group_send(self, group, message):
        for channel in list(self.groups.get(group, ())):
            if not (self.losses and self.losses.pop(0)):
                await self.send(channel, message)


def ids_in(frames):
    return [json.loads(frame["text"])["id"] for frame in frames]


class Story:
    """Two clients of the exercise's consumer that reconnect, and the ids that each has seen."""

    group, message = "ticker", {"type": "ticker.news"}

    def __init__(self, consumer_class, all_notify, database, moments):
        self.application = consumer_class.as_asgi()
        self.all_notify = all_notify
        self.database, self.moments = database, moments
        self.connections: dict[int, StrictCommunicator] = {}
        self.seen: dict[int, list[int]] = {client: [] for client in CLIENTS}

    async def play(self, story):
        for (name, *details), moment in story:
            at = nullcontext() if moment is None else self.moments.at(moment, self.write)
            with at:
                await getattr(self, name)(*details)
            await self.judge()
        self.all_notify = True  # from now on, a client that reconnects misses nothing
        for client in CLIENTS:
            await self.connect(client)
        await self.judge()

    async def write(self, count=1, notify=True):
        rows = [Entry(text="row") for _ in range(count)]
        await self.database.do_in_other_process(Entry.objects.bulk_create, rows)
        if notify or self.all_notify:
            message = {**self.message, "id": rows[-1].id, "text": "row"}
            await get_channel_layer().group_send(self.group, message)
            await asyncio.get_running_loop().wait_until_idle()

    async def connect(self, client, seen=0, how="disconnect"):
        """Connect the client. An open connection ends first; the client has read `seen` frames."""
        if client in self.connections:
            lost = self.connections.pop(client)
            self.read(client, lost.unread[:seen])
            lost.unread.clear()
            await getattr(lost, how)()
        last = (self.seen[client] or [0])[-1]
        self.connections[client] = StrictCommunicator(self.application, f"/?after={last}")
        await self.connections[client].connect()

    async def send(self, client):
        if client in self.connections:
            await self.connections[client].send_to(text_data="said")

    def read(self, client, frames):
        self.seen[client] += ids_in(frames)

    async def judge(self):
        """Check that a client has the first rows without a gap, or all if no message was lost."""
        rows = await self.database.do_in_other_process(
            list, Entry.objects.values_list("id", flat=True)
        )
        for client, connection in self.connections.items():
            received = self.seen[client] + ids_in(connection.unread)
            assert received == sorted(rows)[: len(received)]
            assert not self.all_notify or len(received) == len(rows)
            half = len(connection.unread) // 2  # the other half may be lost
            self.read(client, connection.unread[:half])
            del connection.unread[:half]

    async def end(self):
        for connection in self.connections.values():
            await connection.cancel_application()


class CounterStory(Story):
    """The same with the demo. A client has read what was counted when its connection ended."""

    group, message = "entries", {"type": "entry.saved"}

    def __init__(self, *args):
        super().__init__(*args)
        self.shown = {}

    async def connect(self, client, seen=0, how="disconnect"):
        if last := self.shown.pop(client, {}).get("last"):
            self.seen[client] = [last]
        await super().connect(client, 0, how)

    async def judge(self):
        """Check that the counts grow, and are those of the table if no message was lost."""
        ids = await self.database.do_in_other_process(
            list, Entry.objects.values_list("id", flat=True)
        )
        for client, connection in self.connections.items():
            after = (self.seen[client] or [0])[-1]
            for message in connection.unread:
                counts = json.loads(message["text"])
                earlier = [id for id in ids if after < id <= (counts["last"] or after)]
                assert counts["new"] == len(earlier)
                assert client not in self.shown or counts["new"] > self.shown[client]["new"]
                self.shown[client] = counts
            connection.unread.clear()
            newer = [id for id in ids if id > after]
            assert not self.all_notify or self.shown[client]["new"] == len(newer)


def play(story_class, consumer_class, story, all_notify, losses):
    async def run():
        async with fresh_database() as database, interleaving() as moments:
            player = story_class(consumer_class, all_notify, database, moments)
            try:
                await player.play(story)
            finally:
                await player.end()

    layers = fresh_layers(LossyLayer, losses=[] if all_notify else losses)
    with layers, asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(run())


def play_many(story_class, consumer_class, **config):
    """Play generated stories. The test fails if one of them fails."""

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), **config)
    @given(story=stories, all_notify=st.booleans(), losses=losses)
    def play_one(story, all_notify, losses):
        play(story_class, consumer_class, story, all_notify, losses)

    play_one()


def test_the_demo_counts_every_entry_once():
    play_many(CounterStory, EntryCounter, max_examples=10)


def test_the_solution_sends_every_row_once_and_in_order():
    play_many(Story, load_subject(resolve(find("replay"), "solution")), max_examples=20)


CONNECT = (("connect", 0), None)
LOST, DELIVERED = (("write", 1, False), None), (("write", 1, True), None)


@pytest.mark.parametrize(
    ("mistake", "story"),
    [
        ("ReadsBeforeItJoins", [(("connect", 0), 1)]),  # between read and join
        ("AsksForTheNewestAfterwards", [(("connect", 0), 4)]),
        ("SendsBoth", [(("connect", 0), 2)]),  # between join and read
        ("TrustsTheMessages", [CONNECT, LOST, DELIVERED]),
    ],
)
def test_a_wrong_version_fails(mistake, story):
    wrong = load_subject(resolve(find("replay"), f"mistake:{mistake}"))
    with pytest.raises(AssertionError, match=r"^assert"):
        play(Story, wrong, story, all_notify=LOST not in story, losses=[])
