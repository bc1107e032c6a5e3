"""Whatever happens, and whenever: each client has all rows, each once, in order, none in between.

Hypothesis makes up what happens: writers, lost bells, clients that come, speak, and lose their
connection with frames still on the way, and others who write amid each of these.
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

CLIENTS = (0, 1)
ENDS = ("disconnect", "crash", "kill")

clients = st.sampled_from(CLIENTS)
rings = st.booleans()  # whether the writer lives long enough to ring
# Each happening, and the moment of it at which another writes.
happenings = st.tuples(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 3), rings),
        st.tuples(st.just("come"), clients, st.integers(0, 3), st.sampled_from(ENDS)),
        st.tuples(st.just("say"), clients),
    ),
    st.sampled_from((None, *range(8))),
)
stories = st.lists(happenings, min_size=4, max_size=12)
losses = st.lists(st.booleans(), max_size=20)  # whether the layer loses the message, one by one


class LossyLayer(SerializingLayer):
    """Delivers to each member, or does not, as `losses` has it."""

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
    """Two clients of `consumer_class`, their lost connections, and what each has seen."""

    def __init__(self, consumer_class, bell, all_ring, database, moments):
        self.application = consumer_class.as_asgi()
        self.all_ring = all_ring
        self.group, self.bell = bell["group"], bell["message"]
        self.database, self.moments = database, moments
        self.here: dict[int, StrictCommunicator] = {}
        self.seen: dict[int, list[int]] = {client: [] for client in CLIENTS}

    async def tell(self, story):
        for (name, *details), moment in story:
            at = nullcontext() if moment is None else self.moments.at(moment, self.write)
            with at:
                await getattr(self, name)(*details)
            await self.judge()
        self.all_ring = True  # from here on: who comes back then misses nothing
        for client in CLIENTS:
            await self.come(client)
        await self.judge()

    async def write(self, count=1, ring=True):
        rows = [Entry(text="row") for _ in range(count)]
        await self.database.do_in_other_process(Entry.objects.bulk_create, rows)
        if ring or self.all_ring:
            message = {**self.bell, "id": rows[-1].id, "text": "row"}
            await get_channel_layer().group_send(self.group, message)
            await asyncio.get_running_loop().wait_until_idle()

    async def come(self, client, seen=0, how="disconnect"):
        """It connects; if it is here, that connection ends, and of what is unread it has seen so
        many frames."""
        if client in self.here:
            lost = self.here.pop(client)
            self.look(client, lost.unread[:seen])
            lost.unread.clear()
            await getattr(lost, how)()
        last = (self.seen[client] or [0])[-1]
        self.here[client] = StrictCommunicator(self.application, f"/?after={last}")
        await self.here[client].connect()

    async def say(self, client):
        if client in self.here:
            await self.here[client].send_to(text_data="said")

    def look(self, client, frames):
        self.seen[client] += ids_in(frames)

    async def judge(self):
        """What a client has got is the beginning of all; and all, where no bell was lost."""
        rows = await self.database.do_in_other_process(
            list, Entry.objects.values_list("id", flat=True)
        )
        for client, connection in self.here.items():
            got = self.seen[client] + ids_in(connection.unread)
            assert got == sorted(rows)[: len(got)]
            assert not self.all_ring or len(got) == len(rows)
            half = len(connection.unread) // 2  # the rest is on the way, and may be lost
            self.look(client, connection.unread[:half])
            del connection.unread[:half]

    async def end(self):
        for connection in self.here.values():
            await connection.cancel_application()


def tell(consumer_class, bell, story, all_ring, losses):
    async def run():
        async with fresh_database() as database, interleaving(None) as moments:
            it = Story(consumer_class, bell, all_ring, database, moments)
            try:
                await it.tell(story)
            finally:
                await it.end()

    layers = fresh_layers(LossyLayer, losses=[] if all_ring else losses)
    with layers, asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(run())


def told(consumer_class, bell, **config):
    """Tells a number of stories, all of which have to end well."""

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), **config)
    @given(story=stories, all_ring=st.booleans(), losses=losses)
    def tell_all(story, all_ring, losses):
        tell(consumer_class, bell, story, all_ring, losses)

    tell_all()


LOGBOOK = {"group": "logbook", "message": {"type": "logbook.bell"}}
TICKER = {"group": "ticker", "message": {"type": "ticker.news"}}


def test_the_demo_sends_every_line_once_and_in_order():
    told(Logbook, LOGBOOK, max_examples=20)


def test_the_solution_sends_every_line_once_and_in_order():
    told(resolve(find("replay"), "solution").load(), TICKER, max_examples=10)


COME = (("come", 0), None)
LOST, HEARD = (("write", 1, False), None), (("write", 1, True), None)


@pytest.mark.parametrize(
    ("mistake", "story"),
    [
        ("ReadsBeforeItJoins", [(("come", 0), 1)]),  # between the reading and the joining
        ("AsksForTheNewestAfterwards", [(("come", 0), 4)]),
        ("SendsBoth", [(("come", 0), 2)]),  # between the joining and the reading
        ("KeepsThePlaceOfTheBeginning", [COME, HEARD, HEARD]),
        ("SendsWhatRings", [COME, LOST, HEARD]),
        ("FetchesTheNewest", [COME, LOST, HEARD]),
        ("NewestFirst", [HEARD, HEARD, COME]),
    ],
)
def test_a_wrong_version_is_found_out(mistake, story):
    wrong = resolve(find("replay"), f"mistake:{mistake}").load()
    with pytest.raises(AssertionError, match=r"^assert"):
        tell(wrong, TICKER, story, all_ring=LOST not in story, losses=[])
