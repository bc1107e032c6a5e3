"""Which texts a real Daphne passes on, and how generic consumers end: the facts of lesson 9."""

import json

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne
from tests.support.python_messages import nested_too_deep

LARGEST = 1_048_576  # bytes


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne("async_demo_server") as server:
        yield server


def visit(daphne, consumer):
    url = f"ws://127.0.0.1:{daphne.port}/{consumer}?0"
    return connect(url, proxy=None, open_timeout=TEST_TIMEOUT)


def close_code_after(daphne, consumer, *frames):
    with visit(daphne, consumer) as client:
        for frame in frames:
            client.send(frame)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(TEST_TIMEOUT)
    return closed.value.rcvd and closed.value.rcvd.code


UNFIT = ["hello", "", "[]", "NaN", "[" * 100_000, '{"command": "websocket_disconnect"}', b"\xff"]


def test_a_list_of_commands_keeps_the_connection_whatever_the_client_sends(daphne):
    with visit(daphne, "Shelf") as client:
        for frame in UNFIT:
            client.send(frame)
            assert set(json.loads(client.recv(TEST_TIMEOUT))) == {"error"}
        client.send('{"command": "list"}')
        assert json.loads(client.recv(TEST_TIMEOUT)) == {"titles": []}


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("hello", "Expecting value: line 1 column 1 (char 0)"),
        ("", "No text section for incoming WebSocket frame!"),
        (b"{}", "No text section for incoming WebSocket frame!"),
        ("[" * 100_000, nested_too_deep()),
    ],
)
def test_a_generic_json_consumer_is_closed_with_1011(daphne, frame, error):
    assert close_code_after(daphne, "AsyncJsonWebsocketConsumer", frame) == 1011
    daphne.wait_for_line(f"log Exception inside application: {error}")


def test_text_of_1_mb_arrives_and_one_byte_more_cuts_the_line(daphne):
    with visit(daphne, "Shelf") as client:
        client.send(" " * LARGEST)
        assert set(json.loads(client.recv(TEST_TIMEOUT))) == {"error"}
    assert close_code_after(daphne, "Shelf", " " * (LARGEST + 1)) is None


@pytest.mark.parametrize(
    ("character", "sent", "as_json"), [("a", 1, 1), ("\x01", 1, 6), ("é", 2, 6), ("🦊", 4, 12)]
)
def test_json_makes_a_text_up_to_six_times_as_long(character, sent, as_json):
    text = character * 1000
    assert (len(text.encode()), len(json.dumps(text)) - 2) == (sent * 1000, as_json * 1000)


def test_text_that_is_not_utf_8_cuts_the_line(daphne):
    with visit(daphne, "Shelf") as client:
        with client.send_context():
            client.protocol.send_text(b"\xff")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(TEST_TIMEOUT)
    assert closed.value.rcvd is None, "the line is cut, without a close frame"
