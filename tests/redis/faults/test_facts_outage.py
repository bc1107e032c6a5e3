"""Two real Daphnes on one real Redis, and what their clients see when it goes and comes back."""

import signal
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from lessons.core.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne

GONE = "log Exception inside application: "


@pytest.fixture(scope="module")
def servers(redis_binaries):
    """A Redis of the module's own, and two Daphnes on it."""
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("REDIS_URL", redis.url)
        yield redis, *(stack.enter_context(RealDaphne("redis_demo_server")) for _ in range(2))


@pytest.fixture
def enter(servers):
    """`enter(0, "SharedRoom", "pubsub")`: a client of the first server's consumer on that layer."""
    with ExitStack() as sockets:

        def visit(number, consumer, alias="default"):
            url = f"ws://127.0.0.1:{servers[1 + number].port}/{consumer}/{alias}"
            return sockets.enter_context(connect(url, proxy=None))

        yield visit


def code_of(client):
    """What the server closes with."""
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(TEST_TIMEOUT)
    return closed.value.rcvd.code


def is_open_and_silent(client):
    """A pong comes after all that was sent before it."""
    assert client.ping().wait(TEST_TIMEOUT)
    with pytest.raises(TimeoutError):
        client.recv(timeout=0)
    return True


@pytest.mark.parametrize("alias", ["default", "pubsub", "encrypted"])
def test_two_servers_share_one_room(enter, alias):
    here, there = (enter(number, "SharedRoom", alias) for number in range(2))
    here.send("hello")
    assert [client.recv(TEST_TIMEOUT) for client in (here, there)] == ["hello", "hello"]


def test_in_memory_each_server_has_its_own_room(enter):
    here, there = (enter(number, "SharedRoom", "memory") for number in range(2))
    here.send("hello")
    assert here.recv(TEST_TIMEOUT) == "hello"
    assert is_open_and_silent(there)
    there.send("and I")
    assert there.recv(TEST_TIMEOUT) == "and I"


def test_what_clients_see_during_and_after_an_outage(servers, enter):
    """One test, since it is one outage: whoever was there, who comes meanwhile, who comes after."""
    redis, first, _second = servers
    plain, groupless = enter(0, "Plain"), enter(0, "NoGroup")
    told = [
        enter(number, "SharedRoom", alias) for number, alias in enumerate(("default", "encrypted"))
    ]
    listener, sender = enter(0, "SharedRoom", "pubsub"), enter(1, "SharedRoom", "pubsub")
    redis.stop(signal.SIGKILL)

    assert code_of(plain) == code_of(groupless) == 1011
    assert [code_of(client) for client in told] == [4013, 4013]
    assert first.wait_for_line(GONE) == "Connection closed by server."
    assert is_open_and_silent(listener)
    sender.send("hello?")
    assert code_of(sender) == 4013

    for alias in ("default", "pubsub"):
        assert code_of(enter(1, "SharedRoom", alias)) == 4013
        with pytest.raises(InvalidStatus, match="HTTP 500"):
            enter(1, "Plain", alias)

    redis.start()
    for alias in ("default", "encrypted"):
        here, there = (enter(number, "SharedRoom", alias) for number in range(2))
        here.send("back")
        assert there.recv(TEST_TIMEOUT) == "back"
    again = next(filter(is_let_in, (enter(1, "SharedRoom", "pubsub") for _ in range(10))))
    assert any(heard(listener, again) for _ in range(100))


def is_let_in(client):
    """On pub/sub one who comes while the layer makes its one connection anew is turned away."""
    try:
        hears_itself(client)
    except ConnectionClosed as closed:
        if closed.rcvd.code != 4013:
            raise
        return False
    return True


def hears_itself(client):
    client.send("back")
    assert client.recv(TEST_TIMEOUT) == "back"


def heard(listener, sender):
    """Whether what `sender` says reaches `listener`, whose layer looks for Redis each second."""
    hears_itself(sender)
    try:
        return listener.recv(timeout=0.1) == "back"
    except TimeoutError:
        return False
