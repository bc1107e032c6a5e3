"""How Daphne treats a forgotten await and handlers of the wrong kind: the facts of lesson 5."""

import pytest

from tests.support.programs.real_daphne import RealDaphne, leave, stay
from tests.support.python_messages import not_awaitable

NONE_AWAITED = f"log Exception inside application: {not_awaitable(None)}"


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne() as server:
        yield server


def at(consumer):
    return f"/consumers/{consumer}"


@pytest.mark.parametrize("consumer", ["ForgetsAwait", "AsyncHandlerInSync"])
def test_an_accept_that_was_not_awaited_leaves_the_handshake_unanswered(daphne, consumer):
    assert daphne.visit(path=at(consumer), act=stay).status is None


def test_a_def_handler_runs_and_then_kills_the_application(daphne):
    def speak(client):
        client.send("hello")
        return stay(client)

    visit = daphne.visit(path=at("DefHandlerInAsync"), act=speak)
    assert visit.close_code == 1011
    daphne.wait_for_line("ran hello")
    daphne.wait_for_line(NONE_AWAITED)


def test_a_def_connect_handler_is_a_500(daphne):
    assert daphne.visit(path=at("DefConnectInAsync"), act=stay).status == 500
    daphne.wait_for_line(NONE_AWAITED)


def test_a_def_disconnect_handler_that_stops_does_no_harm(daphne):
    visit = daphne.visit(path=at("DefHandlerInAsync"), act=leave)
    assert visit.close_code == 1000
    daphne.wait_for_line("def disconnect")
    assert not [line for line in daphne.lines if line.startswith(NONE_AWAITED)]
