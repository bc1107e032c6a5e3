"""A room on two Daphnes and one Redis: what its clients see when one of the three fails."""

import asyncio
import itertools
import signal
from contextlib import asynccontextmanager

import pytest
from channels_redis.core import RedisChannelLayer
from redis import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne
from tests.support.programs.running_program import wait_until

HALF = 10
LAYER_FAILED = 4013  # the close code of a consumer that reports a failure of the layer


class RoomClient:
    """One client, which reads all frames in a task."""

    def __init__(self, socket):
        self.socket = socket
        self.received = []
        self._probes = itertools.count()
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        try:
            while True:
                self.received.append(await self.socket.recv())
                self._changed.set()
        except ConnectionClosed:
            self._changed.set()

    @property
    def is_open(self):
        return not self._reading.done()

    async def send(self, text):
        await self.socket.send(text)

    async def wait_for(self, text):
        async with asyncio.timeout(TEST_TIMEOUT):
            while text not in self.received:
                code = self.socket.close_code
                assert self.is_open, f"closed with {code}, received {self.received}"
                self._changed.clear()
                await self._changed.wait()

    async def all_received(self):
        """All texts received, after everything that was already sent has arrived."""
        probe = f"probe {next(self._probes)}"
        await self.send(probe)
        await self.wait_for(probe)
        return [text for text in self.received if not text.startswith("probe")]

    async def close_code(self):
        """Wait until the server has closed the connection. Returns the code."""
        async with asyncio.timeout(TEST_TIMEOUT):
            await self._reading
        return self.socket.close_code

    async def disconnect(self):
        await self.socket.close()
        await self._reading


@asynccontextmanager
async def connected_clients(count, server, path):
    """Connect `count` clients to this path. They disconnect at the end."""
    url = f"ws://127.0.0.1:{server.port}{path}"
    options = {"proxy": None, "compression": None, "max_size": None, "open_timeout": TEST_TIMEOUT}
    attempts = await asyncio.gather(
        *(connect(url, **options) for _ in range(count)), return_exceptions=True
    )
    errors = [one for one in attempts if isinstance(one, BaseException)]
    clients = [RoomClient(one) for one in attempts if one not in errors]
    try:
        if errors:
            raise errors[0]
        yield clients
    finally:
        await asyncio.gather(*(client.disconnect() for client in clients))


async def all_receive(clients, text):
    await asyncio.gather(*(client.wait_for(text) for client in clients))


async def send_until_received(sender, clients):
    """Send one text after another, until each client has received one of them."""
    async with asyncio.timeout(TEST_TIMEOUT):
        for number in itertools.count():
            await sender.send(f"again {number}")
            if all(any(text.startswith("again") for text in client.received) for client in clients):
                return
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def redis_server(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def survivor(redis_server):
    with RealDaphne("demo", "rooms", redis=redis_server.url) as server:
        yield server


@pytest.fixture
def victim(redis_server):
    with RealDaphne("demo", "rooms", redis=redis_server.url) as server:
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

    await lose_half_of_the_room(survivor, victim, f"/default/Chat/{how.name}", check, how)


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
    async with connected_clients(2, survivor, "/default/Chat/flushed") as clients:
        await clients[0].send("before")
        await all_receive(clients, "before")
        starting = RedisChannelLayer(hosts=[{"address": redis_server.url, "socket_timeout": None}])
        await starting.flush()
        await clients[0].send("still there?")
        for client in clients:
            assert await client.all_received() == ["before"]


# Redis loses its data


def forget(redis):
    """Make Redis lose its data and connections, as a fast restart or a failover does."""
    # Only a client that waits for a message notices. Between two messages, no client waits.
    wait_until(lambda: any("b" in client["flags"] for client in redis.client_list()))
    redis.flushall()
    redis.client_kill_filter(_type="normal", skipme=True)


async def test_a_fast_redis_restart_leaves_all_clients_but_one_open_without_messages(
    redis, survivor
):
    async with connected_clients(20, survivor, "/default/Chat/forgotten") as clients:
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
    path = "/default/Refreshing/forgotten"
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
