"""One of two web processes is killed: the other clients, and the group members of the lost ones."""

import asyncio
import signal

import pytest
from channels_redis.core import RedisChannelLayer
from redis import Redis

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.running_program import wait_until
from tests.support.redis.room_clients import (
    TEST_TIMEOUT,
    RoomServer,
    all_receive,
    connected_clients,
    send_until_received,
)

HALF = 10


@pytest.fixture(scope="module")
def redis_server(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def survivor(redis_server):
    with RoomServer(redis_server.url) as server:
        yield server


@pytest.fixture
def victim(redis_server):
    with RoomServer(redis_server.url) as server:
        yield server


@pytest.fixture
def redis(redis_server):
    with Redis.from_url(redis_server.url) as connection:
        yield connection


async def lose_half_of_the_room(survivor, victim, path, check, how=signal.SIGKILL):
    """Kill the server of half of the clients. Then call `check` with the other half."""
    async with (
        connected_clients(HALF, survivor, path) as alive,
        connected_clients(HALF, victim, path) as lost,
    ):
        await alive[0].send("before")
        await all_receive(alive + lost, "before")
        victim.process.send_signal(how)
        assert {await client.close_code() for client in lost} == {1006}
        await send_until_received(alive[0], alive)
        await alive[0].all_received()  # from here on, no message waits for these clients
        await check(alive)
        assert all(client.is_open for client in alive)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_other_clients_continue_and_lost_channels_stay_members_for_a_day(
    survivor, victim, redis, how
):
    kept = "asgispecific.*!"  # the messages that wait for a process
    already = set(redis.keys(kept))

    async def check(alive):
        key = f"asgi:group:{how.name}"
        assert redis.zcard(key) == 2 * HALF
        assert 86000 < redis.ttl(key) <= 86400
        # Redis keeps the messages for the lost clients until they expire.
        [mail] = set(redis.keys(kept)) - already
        assert 1 <= redis.zcard(mail) <= 100
        assert redis.ttl(mail) <= 60

    await lose_half_of_the_room(survivor, victim, f"/redis/Chat/{how.name}", check, how)


async def test_a_short_group_expiry_with_a_periodic_join_removes_lost_channels_soon(
    survivor, victim, redis
):
    async def check(alive):
        async with asyncio.timeout(TEST_TIMEOUT):
            while redis.zcard("brief:group:leave") > HALF:
                await asyncio.sleep(0.1)
                await alive[0].send("who is there?")  # group_send removes expired members
        for client in alive:
            client.received.clear()
        await send_until_received(alive[0], alive)

    await lose_half_of_the_room(survivor, victim, "/brief/Refreshing/leave", check)


async def test_a_short_group_expiry_without_a_periodic_join_removes_live_channels_too(survivor):
    async with connected_clients(2, survivor, "/brief/Chat/fade") as [one, other]:
        await one.send("before")
        await other.wait_for("before")
        count = 1
        async with asyncio.timeout(TEST_TIMEOUT):
            while count:
                other.received.clear()
                await one.send("still there?")
                await one.all_received()
                count = len(await other.all_received())
                await asyncio.sleep(0.1)
        assert one.is_open
        assert other.is_open


async def test_pub_sub_removes_lost_channels_at_once(survivor, victim, redis):
    name = "asgi__group__stay"

    async def check(alive):
        wait_until(lambda: redis.pubsub_numsub(name) == [(name.encode(), 1)])

    await lose_half_of_the_room(survivor, victim, "/pubsub/Chat/stay", check)


async def test_a_flush_by_one_process_empties_the_rooms_of_the_other(survivor, redis_server):
    async with connected_clients(2, survivor, "/redis/Chat/flushed") as clients:
        await clients[0].send("before")
        await all_receive(clients, "before")
        starting = RedisChannelLayer(hosts=[{"address": redis_server.url, "socket_timeout": None}])
        await starting.flush()
        await clients[0].send("still there?")
        for client in clients:
            assert await client.all_received() == ["before"]
