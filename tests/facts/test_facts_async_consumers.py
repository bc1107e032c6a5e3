"""How tasks end on a real Daphne: the facts of lesson 7."""

import itertools
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne("demo", "tasks") as server:
        yield server


@pytest.fixture
def stoppable():
    """A Daphne server that the test stops."""
    with RealDaphne("demo", "tasks") as server:
        yield server


numbers = itertools.count(1)


def open_client(daphne, consumer, number=0):
    url = f"ws://127.0.0.1:{daphne.port}/{consumer}?{number}"
    # With a full queue, a client would not read the answer to its close for 10 s.
    return connect(url, proxy=None, open_timeout=TEST_TIMEOUT, max_queue=None)


@pytest.fixture
def visit():
    """`visit(daphne, consumer)`: a new client."""
    with ExitStack() as sockets:

        def enter(daphne, consumer):
            number = next(numbers)
            opened = open_client(daphne, consumer, number)
            return Client(daphne, number, sockets.enter_context(opened))

        yield enter


class Client:
    """A client that has received two ticks."""

    def __init__(self, daphne, number, socket):
        self.daphne, self.number, self.socket = daphne, number, socket
        assert [self.socket.recv(TEST_TIMEOUT) for _ in range(2)] == ["tick 1", "tick 2"]

    def wait_for_line(self, text):
        """Wait until the consumer or its task has printed the text."""
        self.daphne.wait_for_line(f"{self.number} {text}")

    def printed(self, text):
        """Whether the text was printed. Only for a server that has ended."""
        return f"{self.number} {text}" in self.daphne.lines


def leave(client):
    client.socket.close()


def cut_the_line(client):
    client.socket.socket.close()


def raise_in_a_handler(client):
    client.socket.send("raise")


def leave_a_handler_hanging(client):
    client.socket.send("hang")
    client.socket.close()


def stop(daphne):
    """Send SIGTERM, and wait until the process has ended and its output was read."""
    daphne.process.terminate()
    daphne.process.wait(TEST_TIMEOUT)
    daphne.join_reader()


ENDS = [leave, cut_the_line, raise_in_a_handler, leave_a_handler_hanging]


@pytest.mark.parametrize("end", ENDS)
def test_a_finally_round_call_ends_the_task_whatever_ends_the_connection(daphne, visit, end):
    client = visit(daphne, "Demo")
    end(client)
    client.wait_for_line("task cancelled")
    client.wait_for_line("over")
    if end is leave_a_handler_hanging:
        log = daphne.wait_for_line("log Application instance")
        assert "took too long to shut down and was killed." in log


def test_a_finally_round_call_ends_every_task_when_the_server_is_stopped(stoppable, visit):
    clients = [visit(stoppable, "Demo") for _ in range(3)]
    stop(stoppable)
    assert all(client.printed("task cancelled") for client in clients)
    assert all(client.printed("over") for client in clients)


def test_a_clean_up_on_disconnect_is_skipped_at_every_other_end(stoppable, visit):
    clients = [visit(stoppable, "OnDisconnect") for _ in range(3)]
    raise_in_a_handler(clients[0])
    clients[0].wait_for_line("over")
    leave(clients[0])  # Daphne would wait for a connection that is still closing
    leave_a_handler_hanging(clients[1])
    clients[1].wait_for_line("over")
    stop(stoppable)
    assert clients[2].printed("over")
    assert not any(client.printed("task cancelled") for client in clients)


def test_a_task_that_is_not_cancelled_goes_on_without_its_client(daphne, visit):
    client = visit(daphne, "Orphan")
    leave(client)
    client.wait_for_line("over")
    for _ in range(3):
        client.wait_for_line("tick after the end")


def test_a_stopped_server_leaves_as_soon_as_the_first_consumer_has_ended(stoppable, visit):
    slow, _quick = visit(stoppable, "Slowest"), visit(stoppable, "Demo")
    stop(stoppable)
    assert slow.printed("task cancelled")
    assert slow.printed("clean-up begun")
    assert not slow.printed("clean-up done")


def test_text_that_is_not_utf_8_cuts_the_line(daphne):
    with open_client(daphne, "AsyncJsonWebsocketConsumer") as client:
        with client.send_context():
            client.protocol.send_text(b"\xff")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(TEST_TIMEOUT)
    assert closed.value.rcvd is None, "the line is cut, without a close frame"
