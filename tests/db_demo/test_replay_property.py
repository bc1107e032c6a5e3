"""Property: each client receives all rows, each once and in order, without a gap.

Hypothesis generates the stories: writers, lost bells, and clients that connect, send and lose their
connection with undelivered frames. Another process may write in the middle of each step.
"""

import asyncio
import json
from contextlib import nullcontext

import pytest
from channels.layers import get_channel_layer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db_demo.consumers import Logbook
from db_demo.models import Entry
from lessons.core.catalogue import find
from lessons.judge import StrictCommunicator
from lessons.playback.target import resolve
from lessons.simulator.channel_layer import SerializingLayer, fresh_layers
from lessons.simulator.database import fresh_database
from lessons.simulator.interleaving import interleaving
from lessons.simulator.loop import SimulatedLoop
from lessons.simulator.student_module import load_subject

CLIENTS = (0, 1)
ENDS = ("disconnect", "crash", "kill")

clients = st.sampled_from(CLIENTS)
rings = st.booleans()  # whether the writer sends the bell before it ends
# Each step, and the point in it at which another process writes.
story_steps = st.tuples(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 3), rings),
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
    """Two clients of `consumer_class` that reconnect, and the ids that each has seen."""

    def __init__(self, consumer_class, bell, all_ring, database, moments):
        self.application = consumer_class.as_asgi()
        self.all_ring = all_ring
        self.group, self.bell = bell["group"], bell["message"]
        self.database, self.moments = database, moments
        self.connections: dict[int, StrictCommunicator] = {}
        self.seen: dict[int, list[int]] = {client: [] for client in CLIENTS}

    async def play(self, story):
        for (name, *details), moment in story:
            at = nullcontext() if moment is None else self.moments.at(moment, self.write)
            with at:
                await getattr(self, name)(*details)
            await self.judge()
        self.all_ring = True  # from now on, a client that reconnects misses nothing
        for client in CLIENTS:
            await self.connect(client)
        await self.judge()

    async def write(self, count=1, ring=True):
        rows = [Entry(text="row") for _ in range(count)]
        await self.database.do_in_other_process(Entry.objects.bulk_create, rows)
        if ring or self.all_ring:
            message = {**self.bell, "id": rows[-1].id, "text": "row"}
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
        """Check that a client has the first rows without a gap, or all rows if no bell was lost."""
        rows = await self.database.do_in_other_process(
            list, Entry.objects.values_list("id", flat=True)
        )
        for client, connection in self.connections.items():
            received = self.seen[client] + ids_in(connection.unread)
            assert received == sorted(rows)[: len(received)]
            assert not self.all_ring or len(received) == len(rows)
            half = len(connection.unread) // 2  # the other half may be lost
            self.read(client, connection.unread[:half])
            del connection.unread[:half]

    async def end(self):
        for connection in self.connections.values():
            await connection.cancel_application()


def play(consumer_class, bell, story, all_ring, losses):
    async def run():
        async with fresh_database() as database, interleaving() as moments:
            player = Story(consumer_class, bell, all_ring, database, moments)
            try:
                await player.play(story)
            finally:
                await player.end()

    layers = fresh_layers(LossyLayer, losses=[] if all_ring else losses)
    with layers, asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(run())


def play_many(consumer_class, bell, **config):
    """Play generated stories. The test fails if one of them fails."""

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), **config)
    @given(story=stories, all_ring=st.booleans(), losses=losses)
    def play_one(story, all_ring, losses):
        play(consumer_class, bell, story, all_ring, losses)

    play_one()


LOGBOOK = {"group": "logbook", "message": {"type": "logbook.bell"}}
TICKER = {"group": "ticker", "message": {"type": "ticker.news"}}


def test_the_demo_sends_every_line_once_and_in_order():
    play_many(Logbook, LOGBOOK, max_examples=20)


def test_the_solution_sends_every_line_once_and_in_order():
    play_many(load_subject(resolve(find("replay"), "solution")), TICKER, max_examples=10)


CONNECT = (("connect", 0), None)
LOST, DELIVERED = (("write", 1, False), None), (("write", 1, True), None)


@pytest.mark.parametrize(
    ("mistake", "story"),
    [
        ("ReadsBeforeItJoins", [(("connect", 0), 1)]),  # between read and join
        ("AsksForTheNewestAfterwards", [(("connect", 0), 4)]),
        ("SendsBoth", [(("connect", 0), 2)]),  # between join and read
        ("SendsWhatRings", [CONNECT, LOST, DELIVERED]),
    ],
)
def test_a_wrong_version_fails(mistake, story):
    wrong = load_subject(resolve(find("replay"), f"mistake:{mistake}"))
    with pytest.raises(AssertionError, match=r"^assert"):
        play(wrong, TICKER, story, all_ring=LOST not in story, losses=[])
