"""What Daphne does with HTTP, on a real Daphne and in the simulated world.

These are the facts behind lesson 8 and daphne_rules.py.
"""

import socket
from contextlib import suppress
from urllib.parse import quote

import pytest

from tests.support.compared_daphne import RealServer, SimulatedServer
from tests.support.programs.real_daphne import TEST_TIMEOUT

START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body"}
MORE = {**BODY, "body": b"part", "more_body": True}
DISCONNECT = {"type": "http.disconnect"}
SILENCE = 0.2  # seconds without data; Daphne checks its applications every 20 ms here
HALF = "\ud800"  # half of a surrogate pair


@pytest.fixture(scope="module")
def shared():
    with RealServer("scripted", "http") as server:
        yield server


@pytest.fixture
def own():
    """A separate server: an application that fails after its start breaks the server."""
    with RealServer("scripted", "http") as server:
        yield server


def nothing_more(connection):
    """Whether the client receives nothing, neither data nor an end."""
    connection.sock.settimeout(SILENCE)
    with suppress(TimeoutError):
        return connection.sock.recv(1) and False
    return True


def test_after_a_complete_response_comes_a_disconnect(daphne_http):
    response = daphne_http.request(START, MORE, {**BODY, "body": b"!"})
    assert (response.status, response.body) == (200, b"part!")
    assert response.events == [{"type": "http.request", "body": 0, "more_body": False}, DISCONNECT]


@pytest.mark.parametrize(
    ("length", "pieces"),
    [
        (0, [(0, False)]),
        (8191, [(8191, False)]),
        (8192, [(8192, True), (0, False)]),
        (20_000, [(8192, True), (8192, True), (3616, False)]),
    ],
)
def test_a_body_comes_in_pieces_of_8192_bytes(daphne_http, length, pieces):
    response = daphne_http.request(START, BODY, body=b"x" * length)
    expected = [{"type": "http.request", "body": size, "more_body": more} for size, more in pieces]
    assert response.events == [*expected, DISCONNECT]


LATE = [START, BODY, {"type": "unknown"}, {"text": "no type"}, None, "a", {"type": []}]


@pytest.mark.parametrize("late", LATE)
def test_messages_after_a_complete_response_are_dropped(daphne_http, late):
    response = daphne_http.request(START, {**BODY, "body": b"all"}, late)
    assert (response.status, response.body, response.events[-1]) == (200, b"all", DISCONNECT)


@pytest.mark.parametrize(
    ("replies", "body", "diagnosis"),
    [
        ([START, {**BODY, "body": ""}], b"", "body-not-bytes"),
        ([{**START, "header": [(b"x", b"a")]}, {**BODY, "body": b"a", "text": "b"}], b"a", None),
        ([{**START, "headers": {}}, {**BODY, "text": "a"}], b"", None),
        ([{**START, "headers": [[b"x", b"a\r\nb"]]}, {**BODY, "body": b"a"}], b"a", None),
        ([START, {**BODY, "body": b"a", "more_body": "no"}, BODY], b"a", None),
    ],
)
def test_an_unusual_value_is_ignored_and_a_fault_gets_a_name(daphne_http, replies, body, diagnosis):
    response = daphne_http.request(*replies)
    if diagnosis and not daphne_http.is_real:
        assert (response.diagnosis, response.error) == (diagnosis, "")
    else:
        assert (response.status, response.body) == (200, body)


def not_bytes(part, value):
    return f"Header {part} {value!r} expected to be `bytes`, but got `<class '"


@pytest.mark.parametrize(
    ("reply", "error", "diagnosis"),
    [
        ({**START, "headers": [("a", b"b")]}, not_bytes("name", "a"), "headers-not-bytes"),
        ({**START, "headers": [(b"a", "b")]}, not_bytes("value", "b"), "headers-not-bytes"),
        ({**START, "headers": ["ab"]}, not_bytes("name", "a"), "headers-not-bytes"),
        ({**START, "headers": {b"name": b"a"}}, "too many values to unpack", "headers-not-pairs"),
        ({**START, "headers": "ab"}, "not enough values to unpack", "headers-not-pairs"),
        ({**START, "headers": None}, "'NoneType' object is not iterable", "headers-not-pairs"),
        ({**START, "headers": 0}, "'int' object is not iterable", "headers-not-pairs"),
        (BODY, "HTTP response has not yet been started but got", "body-before-start"),
        ({"type": "http.respons.start"}, "Cannot handle message type", "unknown-response-type"),
        ({"type": []}, "Cannot handle message type []!", "unknown-response-type"),
        ({"status": 200}, "'type'", "reply-without-type"),
        ("ab", "string indices must be integers", "reply-not-a-dict"),
        ("raise", "a bug", "exception"),
    ],
)
def test_an_error_before_the_start_is_a_500(daphne_http, reply, error, diagnosis):
    response = daphne_http.request(reply)
    assert response.status == 500
    assert daphne_http.died(response, error, diagnosis)


def test_a_line_break_in_a_header_becomes_a_space(shared):
    headers = [(b"x", b"a\r\nset-cookie: b=c")]
    with shared.open_request({**START, "headers": headers}, BODY) as (_, connection):
        response = connection.getresponse()
    assert response.getheader("x") == "a set-cookie: b=c"
    assert response.getheader("set-cookie") is None


AFTER_START = [
    ([{**START, "headers": [(b"x y", b"a")]}], "b'x y'", "header-name-invalid"),
    ([{**START, "status": None}, BODY], "%d format: a real number is required", "status-not-int"),
    ([{"type": START["type"]}], "Specifying a status code is required for", "status-missing"),
    ([START, {**BODY, "body": "str"}], "Data must be bytes", "body-not-bytes"),
    ([START, START], "HTTP response has already been started", "started-twice"),
    ([START, MORE, "raise"], "a bug", "exception"),
]


@pytest.mark.parametrize(("replies", "error", "diagnosis"), AFTER_START)
def test_an_error_after_the_start_leaves_the_simulated_client_waiting(replies, error, diagnosis):
    server = SimulatedServer()
    response = server.request(*replies)
    assert response.status is None
    assert server.died(response, error, diagnosis)


@pytest.mark.parametrize(("replies", "error", "_"), AFTER_START)
def test_an_error_after_the_start_stops_the_supervision_of_all_applications(own, replies, error, _):
    with own.open_request(*replies) as (_, waiting):
        own.wait_for_line(f"log Exception inside application: {error}")
        # Daphne tries to answer 500. The exception ends the task that watches all applications.
        own.wait_for_line("checker died of HTTP response has already been started")
        with own.open_request("raise") as (number, another):
            own.wait_for_line(f"{number} over")
            assert nothing_more(another), "no client gets a 500 any more"
        assert not [line for line in own.lines if line.startswith("log ")], "and no word of it"
        assert own.request(START, BODY).status == 200, "what raises nothing is served"
        waiting.close()


@pytest.mark.parametrize("replies", [["return"], [START, "return"], ["ask"], [START, "ask"]])
def test_an_unanswered_request_waits(shared, replies):
    with shared.open_request(*replies) as (_, connection):
        assert nothing_more(connection)
    assert SimulatedServer().request(*replies).status is None


def test_a_response_without_a_last_part_never_ends(shared):
    with shared.open_request(START, MORE, "return") as (_, connection):
        assert connection.getresponse().read(4) == b"part"
        assert nothing_more(connection)
    assert SimulatedServer().request(START, MORE, "return").diagnosis == "response-not-finished"


def test_a_client_that_leaves_a_stream_is_reported(shared):
    with shared.open_request(START, MORE) as (number, connection):
        assert connection.getresponse().read(4) == b"part"
    shared.wait_for_line(f"{number} {DISCONNECT}")
    shared.wait_for_line(f"{number} over")


def test_a_handler_that_goes_on_streaming_is_killed(shared):
    with shared.open_request(START, MORE, "hold") as (number, connection):
        assert connection.getresponse().read(4) == b"part"
    log = shared.wait_for_line("log Application instance")
    assert "took too long to shut down and was killed" in log
    shared.wait_for_line(f"{number} over")


def test_daphne_reads_a_whole_body_before_the_application_begins(shared):
    number = next(shared.numbers)
    path = f"/?{number}:{quote(repr([START, BODY]))}"
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shared.port), TEST_TIMEOUT) as client:
        client.sendall(head.encode() + b"x" * 8999)
        shared.request(START, BODY, body=b"another request")
        assert shared.lines_of(number) == []
        client.sendall(b"x")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
