"""How Daphne treats consumers that forget something: the facts of lessons 1 to 4."""

import pytest

from tests.support.programs.real_daphne import (
    TEST_TIMEOUT,
    RealDaphne,
    leave,
    open_client,
    stay,
)

DIED = "log Exception inside application: "


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne(close=0.2) as server:
        yield server


def visit(daphne, consumer, act=leave):
    return daphne.visit(path=f"/consumers/{consumer}", act=act)


def say(*texts, then=stay):
    def act(client):
        for text in texts:
            client.send(text)
        return then(client)

    return act


def test_a_consumer_that_does_not_stop_is_killed_with_a_warning(daphne):
    visit(daphne, "NeverStops")
    log = daphne.wait_for_line("log Application instance")
    assert "took too long to shut down and was killed." in log


def test_a_consumer_without_a_disconnect_handler_dies_when_its_client_leaves(daphne):
    assert visit(daphne, "NoDisconnectHandler").status == 101
    daphne.wait_for_line(f"{DIED}No handler for message type websocket.disconnect")


def test_a_consumer_that_stops_without_a_close_leaves_the_socket_open(daphne):
    # leave() sends a ping and waits for its pong.
    seen = visit(daphne, "Zombie", act=say("hello?", then=leave))
    assert (seen.frames, seen.close_code) == ([], 1000)


def test_an_accept_that_was_not_awaited_leaves_the_handshake_unanswered():
    with RealDaphne(handshake=0.5) as impatient:
        for consumer in ("ForgetsAwait", "AsyncHandlerInSync"):
            assert visit(impatient, consumer, act=stay).status is None


def test_a_def_handler_runs_and_then_kills_the_application(daphne):
    assert visit(daphne, "DefHandlerInAsync", act=say("hello")).close_code == 1011
    daphne.wait_for_line("ran hello")
    assert "NoneType" in daphne.wait_for_line(DIED)  # the words differ by version of Python


def test_a_def_connect_handler_is_a_500(daphne):
    assert visit(daphne, "DefConnectInAsync", act=stay).status == 500
    assert "NoneType" in daphne.wait_for_line(DIED)


def test_a_def_disconnect_handler_that_stops_does_no_harm(daphne):
    assert visit(daphne, "DefHandlerInAsync").close_code == 1000
    daphne.wait_for_line("def disconnect")
    assert not [line for line in daphne.lines if line.startswith(DIED)]


def at_once(*texts, until=lambda: None):
    """A client that sends these frames together, and reads nothing until `until` returns."""

    def act(client):
        with client.protocol_mutex:
            for text in texts:
                client.protocol.send_text(text.encode())
            client.socket.sendall(b"".join(client.protocol.data_to_send()))
            until()
        return stay(client)

    return act


def test_a_frame_before_the_close_is_answered(daphne):
    seen = visit(daphne, "HangsUp", act=at_once("hello", "bye"))
    assert (seen.frames, seen.close_code) == (["hello"], 4000)


def test_a_frame_in_transit_arrives_after_the_close(daphne):
    log = f"{DIED}Attempt to send on a closed protocol"
    act = at_once("bye", "hello", until=lambda: daphne.wait_for_line(log))
    seen = visit(daphne, "HangsUp", act=act)
    assert (seen.frames, seen.close_code) == ([], 4000)


def test_daphne_reads_without_limit_while_the_handler_is_busy(daphne):
    with open_client(daphne, f"/consumers/Busy?{next(daphne.numbers)}:") as client:
        client.send("begin")
        daphne.wait_for_line("begins")
        for _ in range(32):  # more than the sockets hold: the rest waits in the server's memory
            client.send("x" * 2**20)
        assert client.ping().wait(TEST_TIMEOUT)
