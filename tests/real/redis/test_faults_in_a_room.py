"""A room on two Daphnes and one Redis: what its clients see when one of the three fails."""

import signal
from contextlib import ExitStack

import pytest
from channels_redis.core import RedisChannelLayer
from redis import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne, open_client, stay
from tests.support.programs.running_program import wait_until

HALF = 10
ERROR = "log Exception inside application: "


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


@pytest.fixture
def join():
    """`join(server, "/default/Chat/lobby")`: a client there; with `count`, a list of clients."""
    with ExitStack() as sockets:

        def open_clients(server, path, count=None):
            if count:
                return [open_clients(server, path) for _ in range(count)]
            return sockets.enter_context(open_client(server, path, max_queue=None))

        yield open_clients


def close_code(client):
    """The code with which the server closes. Frames before the close are ignored."""
    stay(client)
    return client.close_code


def frames_until(client, text):
    frames = [client.recv(TEST_TIMEOUT)]
    while frames[-1] != text:
        frames.append(client.recv(TEST_TIMEOUT))
    return frames


def frames_of(client):
    """All frames of what was sent to the client so far: a probe arrives after all of it."""
    client.send("probe")
    return frames_until(client, "probe")[:-1]


def greet(clients):
    clients[0].send("before")
    for client in clients:
        assert frames_until(client, "before") == ["before"]


def reaches(sender, client, text, timeout=0.1):
    """Whether a text that `sender` sends now is the next one that the client receives in time."""
    sender.send(text)
    try:
        return client.recv(timeout) == text
    except TimeoutError:
        return False


# One of the two Daphnes is killed


def lose_half_of_the_room(join, survivor, victim, path):
    """Kill the server of half of the clients. The others continue."""
    alive, lost = (join(server, path, HALF) for server in (survivor, victim))
    greet(alive + lost)
    victim.process.kill()
    assert {close_code(client) for client in lost} == {1006}
    for client in alive:
        wait_until(lambda client=client: reaches(alive[0], client, "again"))
    frames_of(alive[0])  # from here on, no message waits for these clients


def test_the_other_clients_continue_and_lost_channels_stay_members_for_a_day(
    join, survivor, victim, redis
):
    kept = "asgispecific.*!"  # the messages that wait for a process
    already = set(redis.keys(kept))
    lose_half_of_the_room(join, survivor, victim, "/default/Chat/killed")
    key = "asgi:group:killed"
    assert redis.zcard(key) == 2 * HALF
    assert 86000 < redis.ttl(key) <= 86400
    # Redis keeps the messages for the lost clients until they expire.
    [mail] = set(redis.keys(kept)) - already
    assert 1 <= redis.zcard(mail) <= 100
    assert redis.ttl(mail) <= 60


def test_pub_sub_removes_lost_channels_at_once(join, survivor, victim, redis):
    name = "asgi__group__stay"
    lose_half_of_the_room(join, survivor, victim, "/pubsub/Chat/stay")
    wait_until(lambda: redis.pubsub_numsub(name) == [(name.encode(), 1)])


async def test_a_flush_by_one_process_empties_the_rooms_of_the_other(join, survivor, redis_server):
    clients = join(survivor, "/default/Chat/flushed", 2)
    greet(clients)
    starting = RedisChannelLayer(hosts=[{"address": redis_server.url, "socket_timeout": None}])
    await starting.flush()
    clients[0].send("still there?")
    assert [frames_of(client) for client in clients] == [[], []]


# Redis loses its data


def test_a_fast_redis_restart_leaves_all_clients_but_one_open_without_messages(
    join, redis, survivor
):
    clients = join(survivor, "/default/Chat/forgotten", 20)
    greet(clients)
    # Only a client that waits for a message notices. Between two messages, no client waits.
    wait_until(lambda: any("b" in client["flags"] for client in redis.client_list()))
    redis.flushall()
    redis.client_kill_filter(_type="normal", skipme=True)
    wait_until(lambda: any(client.close_code for client in clients))
    silent = [client for client in clients if not client.close_code]
    assert [client.close_code for client in clients if client not in silent] == [1011]
    silent[0].send("still there?")
    assert [frames_of(client) for client in silent] == [[]] * 19


# Redis is killed, and starts again


def can_chat(client):
    """False if the pub/sub layer, while it reconnects, ends the client's consumer."""
    try:
        return reaches(client, client, "back", TEST_TIMEOUT)
    except ConnectionClosed as closed:
        if closed.rcvd.code != 1011:
            raise
        return False


@pytest.fixture
def outage(redis_binaries):
    """A private Redis that a test may kill, and two Daphnes that use it."""
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        rooms = [RealDaphne("demo", "rooms", redis=redis.url, close=1) for _ in range(2)]
        yield redis, *map(stack.enter_context, rooms)


def test_what_clients_see_during_and_after_an_outage(join, outage):
    """One test for one outage: clients from before it, during it and after it."""
    redis, first, second = outage
    member, groupless = join(first, "/default/Chat/lobby"), join(first, "/default/Accepts")
    listener, sender = (join(server, "/pubsub/Chat/lobby") for server in (first, second))
    siren = join(first, "/default/Siren")
    redis.stop(signal.SIGKILL)

    assert close_code(member) == close_code(groupless) == 1011
    assert first.wait_for_line(ERROR) == "Connection closed by server."
    sender.send("hello")
    assert close_code(sender) == 1011
    assert siren.recv(TEST_TIMEOUT) == "out of order"
    assert close_code(siren) == 4013
    assert listener.ping().wait(TEST_TIMEOUT)  # it is open
    with pytest.raises(TimeoutError):
        listener.recv(timeout=0)  # and silent

    for alias in ("default", "pubsub"):
        for name in ("Siren", "Chat/lobby"):
            with pytest.raises(InvalidStatus, match="HTTP 500"):
                join(second, f"/{alias}/{name}")

    redis.start()
    here, there = (join(server, "/default/Chat/lobby") for server in (first, second))
    assert reaches(here, there, "back", TEST_TIMEOUT)
    again = next(filter(can_chat, (join(second, "/pubsub/Chat/lobby") for _ in range(10))))
    # Its layer tries to reach Redis once a second.
    wait_until(lambda: can_chat(again) and reaches(again, listener, "back"))
