"""Redis dies under a hundred clients and comes back: what each of them sees."""

import asyncio
import signal
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from redis import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lessons.core.redis_server import RedisServer
from tests.support.programs.running_program import wait_until
from tests.support.redis.room_clients import (
    TEST_TIMEOUT,
    RealChat,
    all_hear,
    crowd,
    say_until_heard,
)
from tests.support.servers.room_server import LAYER_FAILED

HUNDRED = 100


@pytest.fixture(scope="module")
def redis(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def daphne(redis):
    with RealChat(redis.url) as server:
        yield server


@pytest.fixture
async def back(redis, daphne):
    """Redis, alive again after the test, whatever became of that; and every layer knows it."""
    yield
    if redis._process is None:
        redis.start()
    await one_is_taken_in(daphne, "/pubsub/Steady/back")


PATHS = {
    "/redis/Chat/away": 1011,
    "/redis/Steady/away": LAYER_FAILED,
    "/pubsub/Steady/away": LAYER_FAILED,
}


@asynccontextmanager
async def a_hundred(daphne):
    """By path, a hundred guests between them, who have chatted."""
    shares = dict(zip(PATHS, (HUNDRED - 2 * 33, 33, 33), strict=True))
    async with AsyncExitStack() as stack:
        rooms = {
            path: await stack.enter_async_context(crowd(share, daphne, path))
            for path, share in shares.items()
        }
        for guests in rooms.values():
            for speaker, word in ((guests[0], "first"), (guests[-1], "last")):
                await speaker.say(word)
                await all_hear(guests, word)
        yield rooms


async def one_is_taken_in(daphne, path):
    """Pub/sub may turn away who comes while its one connection to Redis is made anew."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while True:
            async with crowd(1, daphne, path) as [guest]:
                with suppress(ConnectionClosed):
                    return await say_until_heard(guest, [guest])


async def test_every_client_is_closed_and_can_chat_again_on_the_same_daphne(redis, daphne, back):
    async with a_hundred(daphne) as rooms:
        for guests in rooms.values():
            await asyncio.gather(*(guest.say("in the midst of it") for guest in guests[:4]))
        redis.stop(signal.SIGKILL)
        codes = {
            path: Counter([await guest.closed_with() for guest in guests])
            for path, guests in rooms.items()
        }
    assert codes == {path: {code: len(rooms[path])} for path, code in PATHS.items()}
    redis.start()
    await one_is_taken_in(daphne, "/pubsub/Steady/away")
    async with a_hundred(daphne):
        pass
    assert daphne.process.poll() is None


async def test_on_pub_sub_a_sender_is_closed_and_a_listener_receives_again(redis, daphne, back):
    path = "/pubsub/Chat/away"
    async with crowd(20, daphne, path) as guests:
        await guests[0].say("before")
        await all_hear(guests, "before")
        redis.stop(signal.SIGKILL)
        speaking, listening = guests[:10], guests[10:]
        for guest in speaking:
            await guest.say("while it is away")
        assert [await guest.closed_with() for guest in speaking] == [1011] * 10
        redis.start()
        # Channels' receiver looks for Redis once a second; what is said before that is lost.
        await say_until_heard(listening[0], listening)
        async with crowd(1, daphne, path) as [new]:
            await new.say("after")
            await all_hear(listening, "after")
        assert all(guest.is_open for guest in listening)
        assert "while it is away" not in {text for guest in listening for text in guest.heard}


def forget(redis):
    """What a restart does that is over at once, or a replica that takes over."""
    with Redis.from_url(redis.url) as connection:
        # Between two messages nobody waits for one, and nobody would notice.
        wait_until(lambda: any("b" in client["flags"] for client in connection.client_list()))
        connection.flushall()
        connection.client_kill_filter(_type="normal", skipme=True)


async def test_a_fast_redis_restart_leaves_all_clients_but_one_open_without_messages(redis, daphne):
    async with crowd(20, daphne, "/redis/Chat/forgotten") as guests:
        await guests[0].say("before")
        await all_hear(guests, "before")
        forget(redis)
        [done], _ = await asyncio.wait(
            [asyncio.create_task(guest.closed_with()) for guest in guests],
            timeout=TEST_TIMEOUT,
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert done.result() == 1011
        zombies = [guest for guest in guests if guest.is_open]
        assert len(zombies) == 19
        await zombies[0].say("anybody?")
        for guest in zombies:
            assert await guest.hears_only() == ["before"]


async def test_a_periodic_group_add_restores_the_memberships(redis, daphne):
    path = "/redis/Steady/forgotten"
    async with crowd(20, daphne, path) as guests:
        await guests[0].say("before")
        await all_hear(guests, "before")
        forget(redis)
        async with crowd(1, daphne, path) as [new], asyncio.timeout(TEST_TIMEOUT):
            while any(guest.is_open and "after" not in guest.heard for guest in guests):
                await new.say("after")
                await asyncio.sleep(0.05)
        closed = [await guest.closed_with() for guest in guests if not guest.is_open]
        # Who was waiting for Redis at that moment: one for messages, and whose beat had just come.
        assert set(closed) == {LAYER_FAILED}
        assert len(closed) < 10


async def test_a_client_that_connects_during_an_outage_is_rejected(redis, daphne, back):
    redis.stop(signal.SIGKILL)
    said = {}
    for path in ("/redis/Chat/x", "/redis/Steady/x", "/pubsub/Chat/x", "/pubsub/Steady/x"):
        try:
            async with connect(f"ws://127.0.0.1:{daphne.port}{path}", proxy=None) as client:
                await client.recv()
        except InvalidStatus as refused:
            said[path] = refused.response.status_code
        except ConnectionClosed as closed:
            said[path] = closed.rcvd.code
    redis.start()
    assert said == {
        "/redis/Chat/x": 500,
        "/redis/Steady/x": LAYER_FAILED,
        "/pubsub/Chat/x": 500,
        "/pubsub/Steady/x": LAYER_FAILED,
    }
