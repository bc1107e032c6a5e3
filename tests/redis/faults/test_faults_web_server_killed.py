"""One of two web processes is killed: who goes on talking, and how long the dead stay members."""

import asyncio
import signal

import pytest
from channels_redis.core import RedisChannelLayer
from redis import Redis

from lessons.core.redis_server import RedisServer
from tests.support.programs.running_program import wait_until
from tests.support.redis.room_clients import (
    TEST_TIMEOUT,
    RealChat,
    all_hear,
    crowd,
    say_until_heard,
)

TEN = 10


@pytest.fixture(scope="module")
def redis_server(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def survivor(redis_server):
    with RealChat(redis_server.url) as server:
        yield server


@pytest.fixture
def victim(redis_server):
    with RealChat(redis_server.url) as server:
        yield server


@pytest.fixture
def redis(redis_server):
    with Redis.from_url(redis_server.url) as connection:
        yield connection


async def room_loses_its_half(survivor, victim, path, look, how=signal.SIGKILL):
    """`look(members)` while the other half of the room is dead."""
    async with crowd(TEN, survivor, path) as living, crowd(TEN, victim, path) as dying:
        await living[0].say("before")
        await all_hear(living + dying, "before")
        victim.process.send_signal(how)
        assert {await guest.closed_with() for guest in dying} == {1006}
        await say_until_heard(living[0], living)
        await living[0].hears_only()  # by then nothing waits for the living
        await look(living)
        assert all(guest.is_open for guest in living)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_other_clients_continue_and_lost_channels_stay_members_for_a_day(
    survivor, victim, redis, how
):
    kept = "asgispecific.*!"  # what waits for a process
    already = set(redis.keys(kept))

    async def look(living):
        key = f"asgi:group:{how.name}"
        assert redis.zcard(key) == 2 * TEN
        assert 86000 < redis.ttl(key) <= 86400
        # What was said is kept for nobody, until it expires.
        [mail] = set(redis.keys(kept)) - already
        assert 1 <= redis.zcard(mail) <= 100
        assert redis.ttl(mail) <= 60

    await room_loses_its_half(survivor, victim, f"/redis/Chat/{how.name}", look, how)


async def test_a_short_group_expiry_with_a_periodic_join_removes_lost_channels_soon(
    survivor, victim, redis
):
    async def look(living):
        async with asyncio.timeout(TEST_TIMEOUT):
            while redis.zcard("brief:group:leave") > TEN:
                await asyncio.sleep(0.1)
                await living[0].say("who is there?")  # the old are thrown out by a group_send
        for guest in living:
            guest.heard.clear()
        await say_until_heard(living[0], living)

    await room_loses_its_half(survivor, victim, "/brief/Steady/leave", look)


async def test_a_short_group_expiry_without_a_periodic_join_removes_live_channels_too(survivor):
    async with crowd(2, survivor, "/brief/Chat/fade") as [one, other]:
        await one.say("before")
        await other.hears("before")
        heard = 1
        async with asyncio.timeout(TEST_TIMEOUT):
            while heard:
                other.heard.clear()
                await one.say("anybody?")
                await one.hears_only()
                heard = len(await other.hears_only())
                await asyncio.sleep(0.1)
        assert one.is_open
        assert other.is_open


async def test_pub_sub_removes_lost_channels_at_once(survivor, victim, redis):
    name = "asgi__group__stay"

    async def look(living):
        wait_until(lambda: redis.pubsub_numsub(name) == [(name.encode(), 1)])

    await room_loses_its_half(survivor, victim, "/pubsub/Chat/stay", look)


async def test_a_flush_by_one_process_empties_the_rooms_of_the_other(survivor, redis_server):
    async with crowd(2, survivor, "/redis/Chat/flushed") as guests:
        await guests[0].say("before")
        await all_hear(guests, "before")
        starting = RedisChannelLayer(hosts=[{"address": redis_server.url, "socket_timeout": None}])
        await starting.flush()
        await guests[0].say("anybody?")
        for guest in guests:
            assert await guest.hears_only() == ["before"]
