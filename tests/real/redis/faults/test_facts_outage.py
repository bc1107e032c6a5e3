"""What the clients of two real Daphnes see when their Redis stops and starts again."""

import signal
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne

ERROR = "log Exception inside application: "


@pytest.fixture(scope="module")
def servers(redis_binaries):
    """A private Redis, and two Daphnes that use it."""
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        rooms = [RealDaphne("demo", "rooms", redis=redis.url, close=1) for _ in range(2)]
        yield redis, *map(stack.enter_context, rooms)


@pytest.fixture
def open_client(servers):
    """`open_client(0, "Hotline", "pubsub")`: a client of a consumer of the first server."""
    with ExitStack() as sockets:

        def visit(number, consumer, alias="default"):
            url = f"ws://127.0.0.1:{servers[1 + number].port}/{alias}/{consumer}"
            return sockets.enter_context(connect(url, proxy=None, open_timeout=TEST_TIMEOUT))

        yield visit


def code_of(client):
    """The code with which the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(TEST_TIMEOUT)
    return closed.value.rcvd.code


def is_open_and_silent(client):
    """Whether a pong is the only frame. It arrives after all frames that were sent before it."""
    assert client.ping().wait(TEST_TIMEOUT)
    with pytest.raises(TimeoutError):
        client.recv(timeout=0)
    return True


def test_in_memory_each_server_has_its_own_room(open_client):
    here, there = (open_client(number, "Hotline", "memory") for number in range(2))
    here.send("hello")
    assert here.recv(TEST_TIMEOUT) == "hello"
    assert is_open_and_silent(there)
    there.send("and I")
    assert there.recv(TEST_TIMEOUT) == "and I"


def test_what_clients_see_during_and_after_an_outage(servers, open_client):
    """One test for one outage: clients from before it, during it and after it."""
    redis, first, _second = servers
    plain, groupless = open_client(0, "Plain"), open_client(0, "Accepts")
    shared = [
        open_client(number, "Hotline", alias)
        for number, alias in enumerate(("default", "encrypted"))
    ]
    listener, sender = (
        open_client(0, "Hotline", "pubsub"),
        open_client(1, "Hotline", "pubsub"),
    )
    siren = open_client(0, "Siren")
    redis.stop(signal.SIGKILL)

    assert code_of(plain) == code_of(groupless) == 1011
    assert [code_of(client) for client in shared] == [4013, 4013]
    assert first.wait_for_line(ERROR) == "Connection closed by server."
    assert is_open_and_silent(listener)
    sender.send("hello?")
    assert sender.recv(TEST_TIMEOUT) == "not sent"
    assert code_of(sender) == 4013
    assert siren.recv(TEST_TIMEOUT) == "out of order"
    assert code_of(siren) == 4013

    for alias in ("default", "pubsub"):
        assert code_of(open_client(1, "Hotline", alias)) == 4013
        for name in ("Siren", "Plain"):
            with pytest.raises(InvalidStatus, match="HTTP 500"):
                open_client(1, name, alias)

    redis.start()
    for alias in ("default", "encrypted"):
        here, there = (open_client(number, "Hotline", alias) for number in range(2))
        here.send("back")
        assert there.recv(TEST_TIMEOUT) == "back"
    again = next(filter(can_chat, (open_client(1, "Hotline", "pubsub") for _ in range(10))))
    assert any(reaches(listener, again) for _ in range(100))


def can_chat(client):
    """False if the pub/sub layer, while it reconnects, closes the client."""
    try:
        client.send("back")
        return client.recv(TEST_TIMEOUT) == "back"
    except ConnectionClosed as closed:
        if closed.rcvd.code != 4013:
            raise
        return False


def reaches(listener, sender):
    """Whether the text reaches `listener`. Its layer tries to reach Redis once a second."""
    assert can_chat(sender)
    try:
        return listener.recv(timeout=0.1) == "back"
    except TimeoutError:
        return False
