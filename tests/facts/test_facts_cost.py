"""What lesson 10 says about the database thread, compared with Channels and Django."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.db import aclose_old_connections, database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User
from django.db import ProgrammingError, close_old_connections

from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator


class Plain(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": "pong"})

    async def websocket_disconnect(self, event):
        raise StopConsumer


class PlainSync(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": "pong"})

    def websocket_disconnect(self, event):
        raise StopConsumer


@pytest.mark.parametrize("consumer", [Plain, PlainSync])
async def test_one_job_goes_to_a_thread_for_each_event(consumer):
    loop = asyncio.get_running_loop()
    counts = []
    async with StrictCommunicator(consumer.as_asgi(), "/") as client:
        await client.connect()
        counts.append(loop.thread_jobs_started)
        await client.send_to(text_data="ping")
        counts.append(loop.thread_jobs_started)
        await client.disconnect()
        counts.append(loop.thread_jobs_started)
    assert counts == [1, 2, 3]


@pytest.fixture
async def restarted():
    """A database whose server was restarted after the last query."""
    async with fresh_database() as database:
        await User.objects.acount()
        await database.restart()
        yield


@pytest.mark.parametrize("ask", [User.objects.acount, sync_to_async(User.objects.count)])
async def test_an_unmanaged_connection_fails_each_time(restarted, ask):
    for _ in range(2):
        with pytest.raises(ProgrammingError, match="Cannot operate on a closed database"):
            await ask()


async def test_closing_old_connections_in_the_query_thread_fixes_it(restarted):
    await aclose_old_connections()
    assert await User.objects.acount() == 0


async def test_closing_old_connections_in_another_thread_does_not_fix_it(restarted):
    close_old_connections()
    await sync_to_async(close_old_connections, thread_sensitive=False)()
    with pytest.raises(ProgrammingError):
        await User.objects.acount()


async def test_database_sync_to_async_closes_old_connections(restarted):
    assert await database_sync_to_async(User.objects.count)() == 0
