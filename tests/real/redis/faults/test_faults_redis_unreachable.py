"""Redis stops while a hundred clients are connected, and starts again: what each client sees."""

import asyncio
import signal
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from redis import Redis
from websockets.asyncio.client import connect
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

CLIENTS = 100


@pytest.fixture(scope="module")
def redis(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def daphne(redis):
    with RoomServer(redis.url) as server:
        yield server


@pytest.fixture
async def restart_redis(redis, daphne):
    """After the test, start Redis if it is stopped, and wait until every layer is connected."""
    yield
    if redis._process is None:
        redis.start()
    await wait_until_a_client_can_chat(daphne, "/pubsub/Refreshing/back")


PATHS = {
    "/redis/Chat/outage": 1011,
    "/redis/Refreshing/outage": LAYER_FAILED,
    "/pubsub/Refreshing/outage": LAYER_FAILED,
}


@asynccontextmanager
async def hundred_clients(daphne):
    """A hundred clients by path. The clients of each path have exchanged messages."""
    shares = dict(zip(PATHS, (CLIENTS - 2 * 33, 33, 33), strict=True))
    async with AsyncExitStack() as stack:
        rooms = {
            path: await stack.enter_async_context(connected_clients(share, daphne, path))
            for path, share in shares.items()
        }
        for clients in rooms.values():
            for sender, text in ((clients[0], "first"), (clients[-1], "last")):
                await sender.send(text)
                await all_receive(clients, text)
        yield rooms


async def wait_until_a_client_can_chat(daphne, path):
    """The pub/sub layer may reject or close a client while it renews its connection to Redis."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while True:
            with suppress(ConnectionClosed, InvalidStatus):
                async with connected_clients(1, daphne, path) as [client]:
                    return await send_until_received(client, [client])


async def test_every_client_is_closed_and_can_chat_again_on_the_same_daphne(
    redis, daphne, restart_redis
):
    async with hundred_clients(daphne) as rooms:
        for clients in rooms.values():
            await asyncio.gather(*(client.send("just before the stop") for client in clients[:4]))
        redis.stop(signal.SIGKILL)
        codes = {
            path: Counter([await client.close_code() for client in clients])
            for path, clients in rooms.items()
        }
    assert codes == {path: {code: len(rooms[path])} for path, code in PATHS.items()}
    redis.start()
    await wait_until_a_client_can_chat(daphne, "/pubsub/Refreshing/outage")
    async with hundred_clients(daphne):
        pass
    assert daphne.process.poll() is None


async def test_on_pub_sub_a_sender_is_closed_and_a_listener_receives_again(
    redis, daphne, restart_redis
):
    path = "/pubsub/Chat/outage"
    await wait_until_a_client_can_chat(daphne, path)
    async with connected_clients(20, daphne, path) as clients:
        await clients[0].send("before")
        await all_receive(clients, "before")
        redis.stop(signal.SIGKILL)
        sending, listening = clients[:10], clients[10:]
        for client in sending:
            await client.send("during the outage")
        assert [await client.close_code() for client in sending] == [1011] * 10
        redis.start()
        # The layer tries to reach Redis once a second. Messages before that are lost.
        await send_until_received(listening[0], listening)
        async with connected_clients(1, daphne, path) as [new]:
            await new.send("after")
            await all_receive(listening, "after")
        assert all(client.is_open for client in listening)
        assert "during the outage" not in {text for client in listening for text in client.received}


def forget(redis):
    """Make Redis lose its data and connections, as a fast restart or a failover does."""
    with Redis.from_url(redis.url) as connection:
        # Only a client that waits for a message notices. Between two messages, no client waits.
        wait_until(lambda: any("b" in client["flags"] for client in connection.client_list()))
        connection.flushall()
        connection.client_kill_filter(_type="normal", skipme=True)


async def test_a_fast_redis_restart_leaves_all_clients_but_one_open_without_messages(redis, daphne):
    async with connected_clients(20, daphne, "/redis/Chat/forgotten") as clients:
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


async def test_a_periodic_group_add_restores_the_memberships(redis, daphne):
    for _ in range(3):  # a stalled machine gets another try: after a stall, all refresh at once
        closed = await close_codes_of_a_restart(redis, daphne)
        # These clients were using Redis at that moment: one waited for messages, and some were
        # refreshing their membership.
        assert set(closed) == {LAYER_FAILED}
        if len(closed) < 10:
            break
    assert len(closed) < 10


async def close_codes_of_a_restart(redis, daphne):
    """Restart Redis while twenty clients refresh. Return the codes of the closed connections.

    Every other client receives a message after the restart.
    """
    path = "/redis/Refreshing/forgotten"
    async with connected_clients(20, daphne, path) as clients:
        await clients[0].send("before")
        await all_receive(clients, "before")
        forget(redis)
        async with connected_clients(1, daphne, path) as [new], asyncio.timeout(TEST_TIMEOUT):
            while any(client.is_open and "after" not in client.received for client in clients):
                await new.send("after")
                await asyncio.sleep(0.05)
        return [await client.close_code() for client in clients if not client.is_open]


async def test_a_client_that_connects_during_an_outage_is_rejected(redis, daphne, restart_redis):
    redis.stop(signal.SIGKILL)
    outcomes = {}
    for path in ("/redis/Chat/x", "/redis/Refreshing/x", "/pubsub/Chat/x", "/pubsub/Refreshing/x"):
        try:
            url = f"ws://127.0.0.1:{daphne.port}{path}"
            async with connect(url, proxy=None, open_timeout=TEST_TIMEOUT) as client:
                await client.recv()
        except InvalidStatus as refused:
            outcomes[path] = refused.response.status_code
        except ConnectionClosed as closed:
            outcomes[path] = closed.rcvd.code
    redis.start()
    assert outcomes == {
        "/redis/Chat/x": 500,
        "/redis/Refreshing/x": LAYER_FAILED,
        "/pubsub/Chat/x": 500,
        "/pubsub/Refreshing/x": LAYER_FAILED,
    }
