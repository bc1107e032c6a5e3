"""Lesson 23's worked example on two real Daphnes and a real Redis. One Daphne is killed."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from websockets.asyncio.client import connect

from lessons.workshop.engine.world.accounts import log_in
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne


@pytest.fixture
async def servers(redis_binaries):
    """Two servers on one Redis and one database."""
    with RedisServer() as redis:
        async with fresh_database():
            file = connections.databases["default"]["NAME"]
            places = {"redis": redis.url, "database": file}
            one, other = (RealDaphne("project", "chat", **places) for _ in range(2))
            with one, other:
                yield one, other


@asynccontextmanager
async def open_chat(server, cookies=(), query="?seen=0"):
    """A browser's WebSocket to the lobby."""
    url = f"ws://127.0.0.1:{server.port}/ws/chat/lobby/{query}"
    headers = {name.decode(): value.decode() for name, value in cookies}
    options = {"origin": f"http://127.0.0.1:{server.port}", "open_timeout": TEST_TIMEOUT}
    async with connect(url, proxy=None, additional_headers=headers, **options) as client:
        yield client


async def wait_for_frame(client, **expected):
    """The next frame that contains these items. Frames before it are ignored."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while True:
            frame = json.loads(await client.recv())
            if expected.items() <= frame.items():
                return frame


async def test_a_room_on_two_servers_survives_the_loss_of_one(servers):
    one, other = servers
    ann, bob = [await sync_to_async(log_in)(name) for name in ("ann", "bob")]
    async with (
        open_chat(one, bob) as of_bob,
        open_chat(other, ann) as of_ann,
        open_chat(one) as guest,
    ):
        await wait_for_frame(of_ann, here=["ann", "bob"], guests=1)
        await guest.send('{"message": "hello"}')
        first = await wait_for_frame(of_bob, message="hello", by=None)
        await wait_for_frame(of_ann, message="hello")

        one.process.kill()  # its rows of presence and its memberships are not removed
        await wait_for_frame(of_ann, here=["ann"], guests=0)
        await of_ann.send('{"message": "still there?", "key": "k"}')
        await wait_for_frame(of_ann, message="still there?")
        await wait_for_frame(of_ann, saved="k")

        async with open_chat(other, bob, f"?seen={first['id']}") as back:
            frame = json.loads(await back.recv())
            assert (frame["message"], frame["by"]) == ("still there?", "ann")
            await wait_for_frame(of_ann, here=["ann", "bob"])
