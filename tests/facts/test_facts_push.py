"""What a real Daphne leaves of a consumer's task, however the connection ends: lesson 7's facts."""

import itertools
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne("async_demo_server") as server:
        yield server


@pytest.fixture
def doomed():
    """A Daphne that the test stops."""
    with RealDaphne("async_demo_server") as server:
        yield server


numbers = itertools.count(1)


@pytest.fixture
def visit():
    """`visit(daphne, consumer)`: a Guest."""
    with ExitStack() as sockets:

        def enter(daphne, consumer):
            number = next(numbers)
            url = f"ws://127.0.0.1:{daphne.port}/{consumer}?{number}"
            return Guest(daphne, number, sockets.enter_context(connect(url, proxy=None)))

        yield enter


class Guest:
    """A client that has heard two ticks."""

    def __init__(self, daphne, number, socket):
        self.daphne, self.number, self.socket = daphne, number, socket
        assert [self.socket.recv(TEST_TIMEOUT) for _ in range(2)] == ["tick 1", "tick 2"]

    def wait_for_line(self, text):
        """Wait until the consumer or its task has said so."""
        self.daphne.wait_for_line(f"{self.number} {text}")

    def said(self, text):
        """Whether it was said, once nothing more can come."""
        return f"{self.number} {text}" in self.daphne.lines


def leave(guest):
    guest.socket.close()


def cut_the_line(guest):
    guest.socket.socket.close()


def raise_in_a_handler(guest):
    guest.socket.send("raise")


def leave_a_handler_hanging(guest):
    guest.socket.send("hang")
    guest.socket.close()


def stop(daphne):
    """SIGTERM, and wait until the process has ended and all that it said has been read."""
    daphne.process.terminate()
    daphne.process.wait(TEST_TIMEOUT)
    daphne.reader.join(TEST_TIMEOUT)


ENDS = [leave, cut_the_line, raise_in_a_handler, leave_a_handler_hanging]


@pytest.mark.parametrize("end", ENDS)
def test_a_finally_round_call_ends_the_task_whatever_ends_the_connection(daphne, visit, end):
    guest = visit(daphne, "Demo")
    end(guest)
    guest.wait_for_line("task cancelled")
    guest.wait_for_line("over")


def test_a_finally_round_call_ends_every_task_when_the_server_is_stopped(doomed, visit):
    guests = [visit(doomed, "Demo") for _ in range(3)]
    stop(doomed)
    assert all(guest.said("task cancelled") for guest in guests)
    assert all(guest.said("over") for guest in guests)


@pytest.mark.parametrize("end", [leave, cut_the_line])
def test_a_clean_up_on_disconnect_runs_when_the_client_leaves(daphne, visit, end):
    guest = visit(daphne, "OnDisconnect")
    end(guest)
    guest.wait_for_line("task cancelled")


def test_a_clean_up_on_disconnect_is_skipped_at_every_other_end(doomed, visit):
    guests = [visit(doomed, "OnDisconnect") for _ in range(3)]
    raise_in_a_handler(guests[0])
    guests[0].wait_for_line("over")
    leave(guests[0])  # a connection that is still closing would keep Daphne from ending the others
    leave_a_handler_hanging(guests[1])
    guests[1].wait_for_line("over")
    stop(doomed)
    assert guests[2].said("over")
    assert not any(guest.said("task cancelled") for guest in guests)


def test_a_task_that_is_not_cancelled_goes_on_without_its_client(daphne, visit):
    guest = visit(daphne, "Orphan")
    leave(guest)
    guest.wait_for_line("over")
    for _ in range(3):
        guest.wait_for_line("tick after the end")


def test_a_stopped_server_waits_for_a_clean_up_while_it_is_the_only_one(doomed, visit):
    guest = visit(doomed, "Slow")
    stop(doomed)
    assert guest.said("clean-up done")


def test_a_stopped_server_leaves_as_soon_as_the_first_consumer_has_ended(doomed, visit):
    slow, _quick = visit(doomed, "Slowest"), visit(doomed, "Demo")
    stop(doomed)
    assert slow.said("task cancelled")
    assert slow.said("clean-up begun")
    assert not slow.said("clean-up done")


def test_the_kill_is_logged(daphne, visit):
    guest = visit(daphne, "Demo")
    leave_a_handler_hanging(guest)
    guest.wait_for_line("over")
    assert "took too long to shut down and was killed." in daphne.wait_for_line(
        "log Application instance"
    )
