"""Which clients of a real Daphne wait while one connection does slow work: the facts of lesson 6.

Slow work lasts until a client connects to /let-go. So the order of events gives the answer.
"""

from contextlib import contextmanager

import pytest
from django.db import connections
from websockets.sync.client import connect

from tests.support.programs.real_daphne import ACCEPT, TEST_TIMEOUT, RealDaphne, stay


@pytest.fixture
def daphne():
    with RealDaphne() as server:
        yield server


def client_of(daphne, path):
    url = f"ws://127.0.0.1:{daphne.port}{path}?{next(daphne.numbers)}:[]"
    return connect(url, proxy=None, open_timeout=TEST_TIMEOUT)


@contextmanager
def slow_work(daphne, consumer):
    """Another client that ticks, while a client of `consumer` causes slow work."""
    with client_of(daphne, f"/consumers/{consumer}") as slow:
        with client_of(daphne, "/consumers/Ticks") as other:
            slow.send("work")
            daphne.wait_for_line("begins")
            other.send("tick")
            yield other
        daphne.wait_for_line("ends")


def let_go(daphne):
    with client_of(daphne, "/let-go"):
        pass


def order_of(daphne, *words, with_the=None):
    """The printed `words`, in order, once `with_the` was printed."""
    with daphne.lines_changed:
        daphne.lines_changed.wait_for(lambda: with_the in (None, *daphne.lines), TEST_TIMEOUT)
        return [line for line in daphne.lines if line in words]


def test_a_blocked_loop_answers_no_client(daphne):
    with slow_work(daphne, "OnTheLoop") as other:
        assert other.recv(TEST_TIMEOUT) == "tock"
        assert order_of(daphne, "tick", "ends", with_the="tick") == ["ends", "tick"]


@pytest.mark.parametrize("consumer", ["SlowHandler", "Queued"])
def test_a_busy_sync_thread_keeps_async_consumers_waiting(daphne, consumer):
    with slow_work(daphne, consumer) as other:
        assert other.ping().wait(TEST_TIMEOUT), "the loop answers, and has the tick in hand"
        assert order_of(daphne, "tick") == []
        let_go(daphne)
        assert other.recv(TEST_TIMEOUT) == "tock"
        assert order_of(daphne, "tick", "ends", with_the="tick") == ["ends", "tick"]


def test_a_busy_sync_thread_lets_a_handshake_run_out(daphne):
    with slow_work(daphne, "SlowHandler"):
        assert daphne.visit(path="/consumers/Ticks", act=stay).status is None
        let_go(daphne)


def test_a_busy_sync_thread_delays_only_consumers(daphne):
    with slow_work(daphne, "SlowHandler"):
        assert daphne.visit(ACCEPT).status == 101
        assert order_of(daphne, "ends") == []
        let_go(daphne)


@pytest.mark.parametrize("consumer", ["InAThread", "OnItsOwnThread"])
def test_work_in_a_separate_thread_delays_no_client(daphne, consumer):
    with slow_work(daphne, consumer) as other:
        assert other.recv(TEST_TIMEOUT) == "tock"
        assert order_of(daphne, "tick", "ends", with_the="tick") == ["tick"]
        let_go(daphne)


async def test_a_separate_thread_has_a_separate_database_connection():
    from asgiref.sync import ThreadSensitiveContext, sync_to_async

    def connection():
        return connections["default"]

    shared = await sync_to_async(connection)()
    assert await sync_to_async(connection)() is shared
    assert await sync_to_async(connection, thread_sensitive=False)() is not shared
    async with ThreadSensitiveContext():
        assert await sync_to_async(connection)() is not shared
