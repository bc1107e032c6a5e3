"""What Daphne does with each event: the facts behind lessons 1 to 4 and daphne_rules.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import daphne_cases
from tests.support.programs.real_daphne import (
    ACCEPT,
    CLOSE,
    TEST_TIMEOUT,
    RealDaphne,
    leave,
    left,
    send,
    stay,
)


@pytest.fixture(scope="module")
def daphne():
    with RealDaphne() as server:
        yield server


def dies(daphne, *replies, of):
    """The visit of a client whose application ends with that error."""
    visit = daphne.visit(*replies, act=stay)
    daphne.wait_for_line(f"log Exception inside application: {of}")
    assert visit.events == [{"type": "websocket.connect"}], "no disconnect reaches it"
    return visit


# The handshake


@pytest.mark.parametrize("refusal", [CLOSE, {**CLOSE, "code": 1000}, {**CLOSE, "code": 4001}])
def test_a_close_before_the_accept_is_a_403_whatever_its_code(daphne, refusal):
    visit = daphne.visit(refusal)
    assert visit.status == 403
    assert visit.events == [{"type": "websocket.connect"}, left(1006)]


@pytest.mark.parametrize("late", [ACCEPT, CLOSE, send(text="late")])
def test_messages_after_a_rejection_are_dropped(daphne, late):
    visit = daphne.visit(CLOSE, late)
    assert visit.status == 403
    assert visit.events[-1] == left(1006)


def test_a_second_accept_kills_the_application(daphne):
    error = "'WebSocketProtocol' object has no attribute 'handshake_deferred'"
    assert dies(daphne, ACCEPT, ACCEPT, of=error).close_code == 1011


def test_a_send_before_the_accept_is_a_500(daphne):
    error = "Socket has not been accepted, so cannot send over it"
    assert dies(daphne, send(text="too early"), ACCEPT, of=error).status == 500


def test_an_unanswered_handshake_is_dropped_without_an_http_answer(daphne):
    unanswered = [
        ([], None),
        ([{"type": "websocket.acept"}], None),
        ([{**ACCEPT, "subprotocol": "other"}], None),
        ([{**ACCEPT, "subprotocol": "other"}], ["chat"]),
    ]

    def visit(case):
        replies, offered = case
        return daphne.visit(*replies, subprotocols=offered)

    with ThreadPoolExecutor(len(unanswered)) as clients:
        visits = list(clients.map(visit, unanswered))
    assert [visit.status for visit in visits] == [None] * 4
    assert [visit.events[-1] for visit in visits] == [left(1006)] * 4


def test_a_subprotocol_of_a_wrong_type_leaves_the_handshake_unanswered(daphne):
    def visit(chosen):
        return daphne.visit({**ACCEPT, "subprotocol": chosen}, subprotocols=["chat"])

    cases = daphne_cases.UNANSWERED
    with ThreadPoolExecutor(len(cases)) as clients:
        visits = list(clients.map(visit, cases))
    assert [visit.status for visit in visits] == [None] * len(cases)


def test_the_first_item_of_a_tuple_is_the_subprotocol(daphne):
    visit = daphne.visit({**ACCEPT, "subprotocol": ("chat",)}, subprotocols=["chat"])
    assert visit.subprotocol == "chat"


def test_an_echoed_subprotocol_reaches_the_client(daphne):
    visit = daphne.visit({**ACCEPT, "subprotocol": "chat"}, subprotocols=["chess", "chat"])
    assert visit.scope["subprotocols"] == ["chess", "chat"]
    assert visit.subprotocol == "chat"


@pytest.mark.parametrize("accept", [ACCEPT, {**ACCEPT, "subprotocol": None}])
def test_an_accept_without_a_subprotocol_is_valid(daphne, accept):
    visit = daphne.visit(accept, subprotocols=["chat"])
    assert (visit.status, visit.subprotocol) == (101, None)


def test_headers_of_an_accept_are_ignored(daphne):
    visit = daphne.visit({**ACCEPT, "headers": [(b"x-answer", b"42")]})
    assert visit.status == 101
    assert "x-answer" not in visit.headers


def test_the_scope_holds_text_and_bytes(daphne):
    scope = daphne.visit(ACCEPT, path="/caf%C3%A9/").scope
    assert scope["path"] == "/café/"
    assert scope["query_string"].startswith(b"")
    assert isinstance(scope["query_string"], bytes)
    assert dict(scope["headers"])[b"upgrade"] == b"websocket"
    assert scope["subprotocols"] == []


# Frames


def test_the_key_that_a_frame_does_not_use_is_left_out(daphne):
    def frames(client):
        for payload in (b"\x00", "text", "", b""):
            client.send(payload)
        return leave(client)

    assert daphne.visit(ACCEPT, act=frames).events[1:-1] == [
        {"type": "websocket.receive", "bytes": b"\x00"},
        {"type": "websocket.receive", "text": "text"},
        {"type": "websocket.receive", "text": ""},
        {"type": "websocket.receive", "bytes": b""},
    ]


def test_text_and_bytes_at_once_kill_the_application(daphne):
    error = "Got invalid WebSocket reply message on {'type': 'websocket.send', 'text': 'a', 'bytes'"
    assert dies(daphne, ACCEPT, send(text="a", bytes=b"b"), of=error).close_code == 1011


@pytest.mark.parametrize("unused", [None, b""])
def test_an_unused_key_may_be_sent_as_none_or_empty(daphne, unused):
    assert daphne.visit(ACCEPT, send(text="a", bytes=unused)).frames == ["a"]


@pytest.mark.parametrize(
    "reply",
    [
        {**ACCEPT, "subprotocols": ["chat"]},
        {**send(text="hi"), "txt": "lost"},
        {**CLOSE, "status": 4000},
    ],
)
def test_a_key_that_daphne_does_not_know_is_ignored(daphne, reply):
    first = [] if reply["type"] == "websocket.accept" else [ACCEPT]
    act = stay if reply["type"] == "websocket.close" else leave
    visit = daphne.visit(*first, reply, act=act)
    assert visit.events[-1]["type"] == "websocket.disconnect"


@pytest.mark.parametrize(("replies", "error"), daphne_cases.RAISING)
def test_an_unusual_value_kills_the_application(daphne, replies, error):
    dies(daphne, *replies, of=error)


@pytest.mark.parametrize("replies", daphne_cases.IGNORED)
def test_an_unusual_value_is_ignored(daphne, replies):
    visit = daphne.visit(*replies, send(text="after"), subprotocols=["chat"])
    assert (visit.frames, visit.subprotocol) == (["after"], None)


@pytest.mark.parametrize("late", daphne_cases.UNREAD)
def test_daphne_does_not_look_at_a_message_after_a_rejection(daphne, late):
    visit = daphne.visit(CLOSE, late)
    assert (visit.status, visit.events[-1]) == (403, left(1006))


@pytest.mark.parametrize("payload", [{"a": 1}, ["a"], 5, b"a"])
def test_text_that_is_not_a_str_kills_the_application(daphne, payload):
    error = f"'{type(payload).__name__}' object has no attribute 'encode'"
    assert dies(daphne, ACCEPT, send(text=payload), of=error).close_code == 1011


@pytest.mark.parametrize("payload", ["a", 5, [1]])
def test_bytes_that_are_not_bytes_kill_the_application(daphne, payload):
    error = f'"payload" must have type bytes, but was "{type(payload)}"'
    assert dies(daphne, ACCEPT, send(bytes=payload), of=error).close_code == 1011


@pytest.mark.parametrize(("half", "more", "error"), daphne_cases.HALF_A_MIB)
def test_a_reply_may_have_1_mib_and_more_kills_the_application(daphne, half, more, error):
    def receive_one(client):
        client.send(half)
        frame = client.recv(TEST_TIMEOUT)
        client.close()
        return frame

    def wait_for_the_end(client):
        client.send(half + more)
        return stay(client)

    assert daphne.visit(path="/consumers/Doubles", act=receive_one).frames == half * 2
    visit = daphne.visit(path="/consumers/Doubles", act=wait_for_the_end)
    daphne.wait_for_line(f"log Exception inside application: {error}")
    assert (visit.frames, visit.close_code) == ([], 1011)


@pytest.mark.parametrize(
    "empty", [send(text=""), send(bytes=b""), send(), send(text={}), send(text=0), send(bytes=[])]
)
def test_an_empty_reply_of_any_kind_is_dropped(daphne, empty):
    assert daphne.visit(ACCEPT, empty, send(text="after")).frames == ["after"]


@pytest.mark.parametrize("kind", ["websocket.sned", "websocket.receive", 5])
def test_an_event_of_unknown_type_is_ignored(daphne, kind):
    assert daphne.visit(ACCEPT, {"type": kind}, send(text="after")).frames == ["after"]


@pytest.mark.parametrize(
    "reply, error",
    [
        ({"text": "a"}, "'type'"),
        ("a", "string indices must be integers"),
        (["a"], "list indices must be integers or slices, not str"),
        (None, "'NoneType' object is not subscriptable"),
    ],
)
def test_a_reply_that_is_not_an_event_kills_the_application(daphne, reply, error):
    assert dies(daphne, ACCEPT, reply, of=error).close_code == 1011


def test_an_event_without_a_type_before_the_accept_is_a_500(daphne):
    assert dies(daphne, {"text": "a"}, of="'type'").status == 500


# The end


@pytest.mark.parametrize("code", [1000, 3000, 4000, 4999])
def test_a_close_code_that_a_server_may_send_comes_back_on_disconnect(daphne, code):
    visit = daphne.visit(ACCEPT, {**CLOSE, "code": code}, act=stay)
    assert visit.close_code == code
    assert visit.events[-1] == left(code)


@pytest.mark.parametrize("close", [CLOSE, {**CLOSE, "code": None}])
def test_a_close_without_a_code_means_1000(daphne, close):
    visit = daphne.visit(ACCEPT, close, act=stay)
    assert visit.close_code == 1000
    assert visit.events[-1] == left(1000)


@pytest.mark.parametrize("code", [999, 1001, 1006, 1008, 1011, 2999, 5000])
def test_any_other_close_code_kills_the_application(daphne, code):
    error = f"invalid close code {code} (must be 1000 or from [3000, 4999])"
    assert dies(daphne, ACCEPT, {**CLOSE, "code": code}, of=error).close_code == 1011


@pytest.mark.parametrize("code", ["4000", 4000.0, True])
def test_a_close_code_that_is_not_an_int_kills_the_application(daphne, code):
    error = f"invalid type '{type(code)}' for close code (must be an integer)"
    assert dies(daphne, ACCEPT, {**CLOSE, "code": code}, of=error).close_code == 1011


def test_a_str_subclass_reaches_the_client_as_its_text_and_an_int_subclass_is_not_a_code(daphne):
    def talk(client):
        client.send("hi")
        client.send("bye")
        return stay(client)

    visit = daphne.visit(path="/consumers/SendsSubclasses", act=talk)
    daphne.wait_for_line(
        "log Exception inside application: invalid type '<enum 'Code'>' for close code"
    )
    assert (visit.frames, visit.close_code) == (["hi"], 1011)


def test_a_send_after_the_close_kills_the_application(daphne):
    error = "Attempt to send on a closed protocol"
    assert dies(daphne, ACCEPT, CLOSE, send(text="late"), of=error).frames == []


@pytest.mark.parametrize("late", [CLOSE, send(text=""), {"type": "websocket.sned"}])
def test_a_second_close_and_what_is_dropped_anyway_do_no_harm_after_a_close(daphne, late):
    visit = daphne.visit(ACCEPT, {**CLOSE, "code": 4000}, late, act=stay)
    assert visit.close_code == 4000
    assert visit.events[-1] == left(4000)


def test_an_accept_after_the_close_kills_the_application(daphne):
    error = "'WebSocketProtocol' object has no attribute 'handshake_deferred'"
    dies(daphne, ACCEPT, CLOSE, ACCEPT, of=error)


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_disconnect_carries_the_code_that_the_client_gave(daphne, code):
    visit = daphne.visit(ACCEPT, act=lambda client: leave(client, code))
    assert visit.events[-1] == left(code)


def test_disconnect_carries_none_after_a_browsers_bare_close(daphne):
    def bare_close(client):
        with client.send_context():
            client.protocol.send_close()  # close() would send 1000
        return stay(client)

    assert daphne.visit(ACCEPT, act=bare_close).events[-1] == left(None)


def test_disconnect_carries_1006_when_the_line_is_cut(daphne):
    visit = daphne.visit(ACCEPT, act=lambda client: client.socket.close())
    assert visit.events[-1] == left(1006)


def test_a_consumer_that_does_not_stop_is_killed_with_a_warning(daphne):
    daphne.visit(path="/consumers/NeverStops")
    assert "took too long to shut down and was killed." in daphne.wait_for_line(
        "log Application instance"
    )


def test_a_consumer_without_a_disconnect_handler_dies_when_its_client_leaves(daphne):
    visit = daphne.visit(path="/consumers/NoDisconnectHandler")
    assert visit.status == 101
    daphne.wait_for_line(
        "log Exception inside application: No handler for message type websocket.disconnect"
    )


def test_a_consumer_that_stops_without_a_close_leaves_the_socket_open(daphne):
    def talk(client):
        client.send("hello?")
        return leave(client)  # which sends a ping and waits for its pong

    visit = daphne.visit(path="/consumers/Zombie", act=talk)
    assert (visit.frames, visit.close_code) == ([], 1000)
