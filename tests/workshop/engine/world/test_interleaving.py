"""Interleaving: which points there are, and what an action at each of them changes."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.db import transaction

from db_demo.models import Entry
from lessons.workshop.engine.world.channel_layer import current_layer
from lessons.workshop.engine.world.interleaving import interleaving
from tests.support.interleaving import each_point
from tests.support.strict_communicator import StrictCommunicator


class Counting(AsyncConsumer):
    """Joins a group, counts rows, and sends the count."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.channel_layer.group_add("all", self.channel_name)
        await self.send({"type": "websocket.send", "text": f"{await self.count()}"})

    async def count(self):
        return await Entry.objects.acount()

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("all", self.channel_name)
        raise StopConsumer()


class Locks(Counting):
    """Locks the database while it reads."""

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


class Spins(AsyncConsumer):
    """Waits in a loop until a task has sent its frame."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        task = asyncio.create_task(self.send({"type": "websocket.send", "text": "hello"}))
        while not task.done():  # noqa: ASYNC110 - this is what the test is about
            await asyncio.sleep(0)


async def received(consumer, database):
    """The texts that a client receives, for each point of its connect at which a row is saved."""

    async def save():
        await database.do_in_other_process(Entry.objects.create, text="new")

    texts = []
    with interleaving() as points:
        for _ in each_point(points, save):
            client = StrictCommunicator(consumer.as_asgi(), "/")
            await client.connect()
            texts.append([message["text"] for message in client.unread])
            await client.cancel_application()
            current_layer().groups.clear()
            await database.do_in_other_process(Entry.objects.all().delete)
    return texts


async def test_the_action_waits_while_the_consumer_locks_the_database(database):
    # The consumer has the lock from BEGIN on, so the action cannot run at the 5 points in it.
    assert await received(Locks, database) == [["1"]] * 4 + [["0"]] * 7


async def test_a_cleanup_may_query_after_a_cancel_at_each_point(database):
    with interleaving() as points:
        for number in range(6):
            client = StrictCommunicator(SavesAtTheEnd.as_asgi(), "/")
            with points.at(number, client.kill):
                client.begin()
                await client.settle()
                assert not points.is_waiting
            assert client.future.cancelled()
            assert await database.do(Entry.objects.count) == number + 1


async def test_an_action_takes_its_time_while_other_code_spins():
    with interleaving() as points:
        for _ in each_point(points, lambda: asyncio.sleep(1)):
            client = StrictCommunicator(Spins.as_asgi(), "/")
            await client.connect()
            assert [message["text"] for message in client.unread] == ["hello"]
            await client.cancel_application()
