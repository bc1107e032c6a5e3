"""How Daphne treats frames that a client sends before it receives the close."""

import pytest

from tests.support.programs.real_daphne import RealDaphne, stay

DIED = "log Exception inside application: Attempt to send on a closed protocol"


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne() as server:
        yield server


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
    visit = daphne.visit(path="/consumers/HangsUp", act=at_once("hello", "bye"))
    assert (visit.frames, visit.close_code) == (["hello"], 4000)


def test_a_frame_in_transit_arrives_after_the_close(daphne):
    act = at_once("bye", "hello", until=lambda: daphne.wait_for_line(DIED))
    visit = daphne.visit(path="/consumers/HangsUp", act=act)
    assert (visit.frames, visit.close_code) == ([], 4000)
