"""What Daphne does with HTTP: the facts behind lesson 8 and daphne_rules.py."""

import socket
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from urllib.parse import quote

import pytest

from tests.support import daphne_cases
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne

START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body"}
MORE = {**BODY, "body": b"part", "more_body": True}
DISCONNECT = "{'type': 'http.disconnect'}"
SILENCE = 0.2  # seconds without data; Daphne checks its applications every 20 ms here


@pytest.fixture(scope="module")
def shared():
    with RealDaphne("scripted_http_server") as server:
        yield server


@pytest.fixture
def own():
    """A separate server: an application that fails after its start breaks the server."""
    with RealDaphne("scripted_http_server") as server:
        yield server


@contextmanager
def request(daphne, *replies, body=b"", path="/", method="POST"):
    """Send a request. Yields its number and its connection."""
    number = next(daphne.numbers)
    connection = HTTPConnection("127.0.0.1", daphne.port, timeout=TEST_TIMEOUT)
    try:
        connection.request(method, f"{path}?{number}:{quote(repr(list(replies)))}", body)
        yield number, connection
    finally:
        connection.close()


def answered(daphne, *replies, **kwargs):
    """Status and body of the response, and the events of the application."""
    with request(daphne, *replies, **kwargs) as (number, connection):
        response = connection.getresponse()
        body = response.read()
    daphne.wait_for_line(f"{number} over")
    return response.status, body, daphne.lines_of(number)


def nothing_more(connection):
    """Whether the client receives nothing, neither data nor an end."""
    connection.sock.settimeout(SILENCE)
    with suppress(TimeoutError):
        return connection.sock.recv(1) and False
    return True


def test_after_a_complete_response_comes_a_disconnect(shared):
    status, body, seen = answered(shared, START, MORE, {**BODY, "body": b"!"})
    assert (status, body) == (200, b"part!")
    assert seen == ["{'type': 'http.request', 'body': 0, 'more_body': False}", DISCONNECT]


@pytest.mark.parametrize(
    ("length", "pieces"),
    [
        (0, [(0, False)]),
        (8191, [(8191, False)]),
        (8192, [(8192, True), (0, False)]),
        (20_000, [(8192, True), (8192, True), (3616, False)]),
    ],
)
def test_a_body_comes_in_pieces_of_8192_bytes(shared, length, pieces):
    _, _, seen = answered(shared, START, BODY, body=b"x" * length)
    expected = [{"type": "http.request", "body": size, "more_body": more} for size, more in pieces]
    assert seen == [*map(str, expected), DISCONNECT]


@pytest.mark.parametrize("late", [START, BODY, {"type": "unknown"}])
def test_messages_after_a_complete_response_are_dropped(shared, late):
    status, body, seen = answered(shared, START, {**BODY, "body": b"all"}, late)
    assert (status, body, seen[-1]) == (200, b"all", DISCONNECT)


def test_an_empty_str_is_accepted_as_a_body(shared):
    assert answered(shared, START, {**BODY, "body": ""})[:2] == (200, b"")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (
            {**START, "headers": [("content-type", b"text/plain")]},
            "Header name 'content-type' expected to be `bytes`, but got `<class 'str'>`",
        ),
        (
            {**START, "headers": [(b"content-type", "text/plain")]},
            "Header value 'text/plain' expected to be `bytes`, but got `<class 'str'>`",
        ),
        ({**START, "headers": {b"content-type": b"a"}}, "too many values to unpack (expected 2)"),
        ({**START, "headers": None}, "'NoneType' object is not iterable"),
        (BODY, "HTTP response has not yet been started but got http.response.body"),
        ({"type": "http.respons.start"}, "Cannot handle message type http.respons.start!"),
        ({"status": 200}, "'type'"),
        ("raise", "a bug"),
    ],
)
def test_an_error_before_the_start_is_a_500(shared, reply, error):
    assert answered(shared, reply)[0] == 500
    shared.wait_for_line(f"log Exception inside application: {error}")


@pytest.mark.parametrize(("reply", "error"), daphne_cases.RAISING_IN_HTTP)
def test_an_unusual_value_before_the_start_is_a_500(shared, reply, error):
    assert answered(shared, *reply)[0] == 500
    shared.wait_for_line(f"log Exception inside application: {error}")


@pytest.mark.parametrize(("replies", "body"), daphne_cases.ANSWERED)
def test_an_unusual_value_is_ignored(shared, replies, body):
    assert answered(shared, *replies)[:2] == (200, body)


@pytest.mark.parametrize("late", daphne_cases.UNREAD)
def test_daphne_does_not_look_at_a_message_after_the_response(shared, late):
    assert answered(shared, START, BODY, late)[:2] == (200, b"")


def test_a_line_break_in_a_header_becomes_a_space(shared):
    headers = [(b"x", b"a\r\nset-cookie: b=c")]
    with request(shared, {**START, "headers": headers}, BODY) as (_, connection):
        response = connection.getresponse()
    assert (response.getheader("x"), response.getheader("set-cookie")) == (
        "a set-cookie: b=c",
        None,
    )


@pytest.mark.parametrize(("replies", "error"), daphne_cases.RAISING_AFTER_START)
def test_an_unusual_value_after_the_start_leaves_the_client_waiting(own, replies, error):
    with request(own, *replies) as (_, waiting):
        own.wait_for_line(f"log Exception inside application: {error}")
        waiting.close()


@pytest.mark.parametrize("replies", [["return"], [START, "return"], ["ask"], [START, "ask"]])
def test_an_unanswered_request_waits(shared, replies):
    with request(shared, *replies) as (_, connection):
        assert nothing_more(connection)


def test_a_response_without_a_last_part_never_ends(shared):
    with request(shared, START, MORE, "return") as (number, connection):
        response = connection.getresponse()
        assert response.read(4) == b"part"
        shared.wait_for_line(f"{number} over")
        assert nothing_more(connection)


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([START, {**BODY, "body": "str"}], "Data must be bytes"),
        ([START, START], "HTTP response has already been started"),
        (
            [{"type": "http.response.start"}],
            "Specifying a status code is required for a Response message.",
        ),
        (
            [{**START, "status": "200"}, BODY],
            "%d format: a real number is required, not str",
        ),
        ([START, MORE, "raise"], "a bug"),
    ],
)
def test_an_error_after_the_start_stops_the_supervision_of_all_applications(own, replies, error):
    with request(own, *replies) as (_, waiting):
        own.wait_for_line(f"log Exception inside application: {error}")
        # Daphne tries to answer 500. The exception ends the task that watches all applications.
        own.wait_for_line("checker died of HTTP response has already been started")
        with request(own, "raise") as (number, another):
            own.wait_for_line(f"{number} over")
            assert nothing_more(another), "no 500 for anyone"
        assert not [line for line in own.lines if line.startswith("log ")], "and no word of it"
        assert answered(own, START, BODY)[0] == 200, "what raises nothing is served"
        waiting.close()


def test_a_disconnect_is_reported_and_ends_the_stream(shared):
    with request(shared, path="/heartbeat", method="GET") as (number, connection):
        response = connection.getresponse()
        assert response.getheader("content-type") == "text/event-stream"
        assert response.readline() == b"data: beat 1\n"
    shared.wait_for_line(f"{number} {DISCONNECT}")
    shared.wait_for_line(f"{number} over")


def test_a_handler_that_goes_on_streaming_is_killed(shared):
    with request(shared, START, MORE, "hold") as (number, connection):
        assert connection.getresponse().read(4) == b"part"
    assert "took too long to shut down and was killed" in shared.wait_for_line(
        "log Application instance"
    )
    shared.wait_for_line(f"{number} over")


def test_the_demo_counts_a_body_in_pieces(shared):
    status, body, seen = answered(shared, path="/length", body=b"x" * 20_000)
    assert (status, body, len(seen)) == (200, b"20000 bytes\n", 4)


def test_the_demo_answers_a_long_body_with_413_and_reads_no_further_piece(shared):
    pieces = 1_000_000 // 8192 + 1  # with the last of them, the body is too long
    status, body, seen = answered(shared, path="/length", body=b"x" * 10_000_000)
    assert (status, body, len(seen)) == (413, b"too long\n", pieces)


def test_daphne_reads_a_whole_body_before_the_application_begins(shared):
    number = next(shared.numbers)
    head = f"POST /length?{number}: HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared.port), TEST_TIMEOUT) as client:
        client.sendall(head.encode() + b"x" * 8999)
        answered(shared, path="/length", body=b"another request")
        assert shared.lines_of(number) == []
        client.sendall(b"x")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_lost_connection_is_reported_too(shared):
    number = next(shared.numbers)
    with socket.create_connection(("127.0.0.1", shared.port), TEST_TIMEOUT) as client:
        client.sendall(f"GET /heartbeat?{number}: HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)  # a reset, no FIN
    shared.wait_for_line(f"{number} over")
