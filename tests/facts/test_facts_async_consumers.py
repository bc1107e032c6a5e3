"""How tasks end when a real Daphne is stopped, and one fact about text: the facts of lesson 7."""

import itertools
from contextlib import ExitStack

import pytest

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne, open_client, stay

numbers = itertools.count(1)


@pytest.fixture
def daphne():
    with RealDaphne("demo", "tasks") as server:
        yield server


@pytest.fixture
def visit(daphne):
    """`visit(consumer)`: a new client that has received two ticks. It has the number `number`."""
    with ExitStack() as sockets:

        def enter(consumer):
            number = next(numbers)
            # With a full queue, a client would not read the answer to its close for 10 s.
            opened = open_client(daphne, f"/{consumer}?{number}", max_queue=None)
            client = sockets.enter_context(opened)
            assert [client.recv(TEST_TIMEOUT) for _ in range(2)] == ["tick 1", "tick 2"]
            client.number = number
            return client

        yield enter


@pytest.fixture
def printed(daphne):
    """`printed(client, text)`: whether its consumer, or the task of that, has printed the text."""
    return lambda client, text: f"{client.number} {text}" in daphne.lines


def stop(daphne):
    """Send SIGTERM, and wait until the process has ended and its output was read."""
    daphne.process.terminate()
    daphne.wait_until_ended()


def test_a_finally_round_call_ends_every_task_when_the_server_is_stopped(daphne, visit, printed):
    clients = [visit("Demo") for _ in range(3)]
    stop(daphne)
    assert all(printed(client, "task cancelled") for client in clients)
    assert all(printed(client, "over") for client in clients)


def test_a_clean_up_on_disconnect_is_skipped_when_the_server_is_stopped(daphne, visit, printed):
    client = visit("OnDisconnect")
    stop(daphne)
    assert (printed(client, "over"), printed(client, "task cancelled")) == (True, False)


def test_a_stopped_server_leaves_as_soon_as_the_first_consumer_has_ended(daphne, visit, printed):
    slow, _quick = visit("Slowest"), visit("Demo")
    stop(daphne)
    assert printed(slow, "task cancelled")
    assert printed(slow, "clean-up begun")
    assert not printed(slow, "clean-up done")


def test_text_that_is_not_utf_8_cuts_the_line(daphne, visit):
    client = visit("Demo")
    with client.send_context():
        client.protocol.send_text(b"\xff")
    stay(client)
    assert client.close_code == 1006, "the line is cut, without a close frame"
