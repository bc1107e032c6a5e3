"""A room on two Daphnes and one Redis: what its clients see when one of the three fails."""

import asyncio
import signal
from contextlib import suppress

import pytest
from channels_redis.core import RedisChannelLayer
from redis import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.running_program import wait_until
from tests.support.redis.room_clients import (
    TEST_TIMEOUT,
    RoomServer,
    all_receive,
    connected_clients,
    send_until_received,
)
from tests.support.servers.room_server import LAYER_FAILED

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


# One of the two Daphnes is killed


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


# Redis stops, or loses its data


async def wait_until_a_client_can_chat(survivor, path):
    """The pub/sub layer may reject or close a client while it renews its connection to Redis."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while True:
            with suppress(ConnectionClosed, InvalidStatus):
                async with connected_clients(1, survivor, path) as [client]:
                    return await send_until_received(client, [client])


def forget(redis):
    """Make Redis lose its data and connections, as a fast restart or a failover does."""
    # Only a client that waits for a message notices. Between two messages, no client waits.
    wait_until(lambda: any("b" in client["flags"] for client in redis.client_list()))
    redis.flushall()
    redis.client_kill_filter(_type="normal", skipme=True)


async def test_a_fast_redis_restart_leaves_all_clients_but_one_open_without_messages(
    redis, survivor
):
    async with connected_clients(20, survivor, "/redis/Chat/forgotten") as clients:
        await clients[0].send("before")
        await all_receive(clients, "before")
        forget(redis)
        [done], _ = await asyncio.wait(
            [asyncio.create_task(client.close_code()) for client in clients],
            timeout=TEST_TIMEOUT,
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert done.result() == 1011
        silent = [client for client in clients if client.is_open]
        assert len(silent) == 19
        await silent[0].send("still there?")
        for client in silent:
            assert await client.all_received() == ["before"]


async def test_a_periodic_group_add_restores_the_memberships(redis, survivor):
    path = "/redis/Refreshing/forgotten"
    async with connected_clients(20, survivor, path) as clients:
        await clients[0].send("before")
        await all_receive(clients, "before")
        forget(redis)
        async with connected_clients(1, survivor, path) as [new], asyncio.timeout(TEST_TIMEOUT):
            while any(client.is_open and "after" not in client.received for client in clients):
                await new.send("after")
                await asyncio.sleep(0.05)
        closed = [client for client in clients if not client.is_open]
        # These clients were using Redis at that moment: one waited for messages, and some were
        # refreshing their membership.
        assert {await client.close_code() for client in closed} == {LAYER_FAILED}
        assert len(closed) < len(clients)


async def test_on_pub_sub_a_sender_is_closed_and_a_listener_receives_again(redis_server, survivor):
    path = "/pubsub/Chat/outage"
    await wait_until_a_client_can_chat(survivor, path)
    async with connected_clients(20, survivor, path) as clients:
        await clients[0].send("before")
        await all_receive(clients, "before")
        redis_server.stop(signal.SIGKILL)
        sending, listening = clients[:10], clients[10:]
        for client in sending:
            await client.send("during the outage")
        assert [await client.close_code() for client in sending] == [1011] * 10
        redis_server.start()
        # The layer tries to reach Redis once a second. Messages before that are lost.
        await send_until_received(listening[0], listening)
        async with connected_clients(1, survivor, path) as [new]:
            await new.send("after")
            await all_receive(listening, "after")
        assert all(client.is_open for client in listening)
        assert "during the outage" not in {text for client in listening for text in client.received}
