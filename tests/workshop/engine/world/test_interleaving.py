"""Interleaving: which points there are, and what an action at each of them changes."""

import asyncio
import functools

import pytest
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.db import transaction

from db_demo.models import Entry
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.world.channel_layer import current_layer, fresh_layers
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.interleaving import interleaving
from lessons.workshop.engine.world.loop import SimulatedLoop
from lessons.workshop.judge import StrictCommunicator
from tests.support.interleaving import each_point


class Counting(AsyncConsumer):
    """Joins a group, counts rows, sends the count; later it handles messages."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.channel_layer.group_add("all", self.channel_name)
        await self.tell()

    async def tell(self):
        count = await Entry.objects.acount()
        await self.send({"type": "websocket.send", "text": f"{count}"})

    async def entry_saved(self, event):
        await self.tell()

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("all", self.channel_name)
        raise StopConsumer()


class CountsInATask(Counting):
    """Counts in a task, so it handles messages at the same time."""

    async def tell(self):
        self.task = asyncio.create_task(super().tell())

    async def entry_saved(self, event):
        await self.send({"type": "websocket.send", "text": "heard"})


class Locks(Counting):
    """Locks the database while it reads."""

    async def tell(self):
        count = await self.count()
        await self.send({"type": "websocket.send", "text": f"{count}"})

    @database_sync_to_async
    def count(self):
        with transaction.atomic():
            Entry.objects.exists()
            return Entry.objects.count()


class SavesAtTheEnd(Counting):
    """Uses the database in its clean-up."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("all", self.channel_name)
            await Entry.objects.acreate(text="end")


class Scene:
    """Fresh layers, an empty database, and the actions of another writer."""

    def __init__(self, database, points):
        self.database, self.points = database, points

    async def save(self):
        await self.database.do_in_other_process(Entry.objects.create, text="new")

    async def publish(self):
        await self.save()
        await current_layer().group_send("all", {"type": "entry.saved"})

    async def received(self, consumer_class, act):
        """The texts that a client of the consumer receives, for each point of its connect."""
        texts = []
        for _ in each_point(self.points, act):
            client = StrictCommunicator(consumer_class.as_asgi(), "/")
            await client.connect()
            texts.append([message["text"] for message in client.unread])
            await client.cancel_application()
            current_layer().groups.clear()
            await self.database.do_in_other_process(Entry.objects.all().delete)
        return texts


@pytest.fixture
def scene():
    """`scene(test)` runs `await test(Scene)` in the loop of checks."""

    async def play(test):
        async with fresh_database() as database, interleaving() as points:
            await test(Scene(database, points))

    def run(test):
        with fresh_layers(), asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            runner.run(play(test))

    return run


def played(test):
    @functools.wraps(test)
    def run(scene):
        scene(test)

    del run.__wrapped__  # otherwise pytest looks for fixtures in the wrapped signature
    return run


@played
async def test_has_a_point_before_and_after_each_group_call_and_query(scene):
    texts = await scene.received(Counting, scene.save)
    # two points at group_add, two at the query, and none in the last round
    assert texts == [["1"], ["1"], ["1"], ["0"], ["0"]]


@played
async def test_messages_of_the_action_arrive_in_order(scene):
    texts = await scene.received(Counting, scene.publish)
    assert texts == [["1"], ["1", "1"], ["1", "1"], ["0", "1"], ["0"]]


@played
async def test_a_consumer_held_in_one_task_goes_on_in_another(scene):
    async def ring():
        await current_layer().group_send("all", {"type": "entry.saved"})

    texts = await scene.received(CountsInATask, ring)
    # A consumer held in a query occupies the thread that Channels needs before each handler.
    assert texts == [["0"], ["heard", "0"], ["0", "heard"], ["0", "heard"], ["0"]]


@played
async def test_the_action_waits_while_the_consumer_locks_the_database(scene):
    texts = await scene.received(Locks, scene.save)
    # The consumer has the lock from BEGIN on, so the action cannot run at the last 5 points.
    assert texts == [["1"]] * 3 + [["0"]] * 6


@played
async def test_the_calls_of_the_check_are_not_points(scene):
    rounds = 0
    for _ in each_point(scene.points, scene.save):
        rounds += 1
        await current_layer().group_send("all", {"type": "entry.saved"})
        await scene.database.do(Entry.objects.count)
    assert rounds == 1
    assert await Entry.objects.acount() == 0


@played
async def test_the_action_does_not_wake_those_who_wait_for_an_idle_loop(scene):
    order = []

    async def act():
        await asyncio.get_running_loop().wait_until_idle()
        order.append("acted")

    for _ in each_point(scene.points, act):
        client = StrictCommunicator(Counting.as_asgi(), "/")
        await client.connect()
        order.append("connected")
        await client.cancel_application()
    assert order == ["acted", "connected"] * 4 + ["connected"]


@played
async def test_a_cleanup_may_query_after_a_cancel_at_each_point(scene):
    for number in range(4):  # two points at group_add, two at the query
        client = StrictCommunicator(SavesAtTheEnd.as_asgi(), "/")
        with scene.points.at(number, client.kill):
            client.begin()
            await client.settle()
            assert not scene.points.is_waiting
        assert client.future.cancelled()
        assert await scene.database.do(Entry.objects.count) == number + 1


@played
async def test_raises_the_exception_of_the_action(scene):
    async def act():
        raise LookupError("of the action")

    points = each_point(scene.points, act)
    for _ in range(4):
        next(points)
        client = StrictCommunicator(Counting.as_asgi(), "/")
        with pytest.raises(CheckFailed, match="of the action"):
            await client.connect()
        await client.cancel_application()
