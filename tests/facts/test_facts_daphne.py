"""What Daphne does with each event over WebSocket, on a real Daphne and in the simulated world.

These are the facts behind lessons 1 to 4 and daphne_rules.py.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.compared_daphne import STAYS, VANISHES
from tests.support.programs.real_daphne import left
from tests.support.scripted_events import ACCEPT, CLOSE, send

HALF = "\ud800"  # half of a surrogate pair: a str can hold it, UTF-8 cannot
NOT_UTF_8 = r"'utf-8' codec can't encode character '\ud800' in position"
CLOSED = "Attempt to send on a closed protocol"
NOT_CONNECTING = "'WebSocketProtocol' object has no attribute 'handshake_deferred'"
TOO_LARGE = "tried to send WebSocket message with size 1048577 exceeding payload limit of 1048576"
BOTH_KEYS = "Got invalid WebSocket reply message on {'type': 'websocket.send', 'text': "
CONNECT = {"type": "websocket.connect"}


def close(code):
    return {**CLOSE, "code": code}


def case(name, *values):
    return pytest.param(*values, id=name)


def died(server, visit, error, diagnosis):
    """Whether the application died of this error. Then no disconnect has reached it."""
    return server.died(visit, error, diagnosis) and visit.events == [CONNECT]


# The handshake


@pytest.mark.parametrize("refusal", [CLOSE, close(1000), close(4001)])
def test_a_close_before_the_accept_is_a_403_whatever_its_code(daphne, refusal):
    visit = daphne.visit(refusal)
    assert (visit.status, visit.events) == (403, [CONNECT, left(1006)])


LATE = [ACCEPT, CLOSE, send(text="a"), send(text=HALF), close("4013"), {"type": []}, {}, None, "a"]


@pytest.mark.parametrize("late", LATE)
def test_daphne_does_not_look_at_a_message_after_a_rejection(daphne, late):
    visit = daphne.visit(CLOSE, late)
    assert (visit.status, visit.events[-1]) == (403, left(1006))


@pytest.mark.parametrize(
    ("reply", "error", "diagnosis"),
    [
        (send(text="a"), "Socket has not been accepted, so cannot send", "send-before-accept"),
        ({"text": "a"}, "'type'", "reply-without-type"),
    ],
)
def test_an_error_before_the_accept_is_a_500(daphne, reply, error, diagnosis):
    visit = daphne.visit(reply, ACCEPT)
    assert visit.status == 500
    assert died(daphne, visit, error, diagnosis)


UNANSWERED = [
    ([], None, "no-accept"),
    ([{"type": "websocket.acept"}], None, "unknown-event-type"),
    ([{**ACCEPT, "subprotocol": "chat"}], None, "subprotocol-not-offered"),
    *[
        ([{**ACCEPT, "subprotocol": chosen}], ["chat"], "subprotocol-not-offered")
        for chosen in ("chess", b"chat", ["chat"], {}, 0, False, "", HALF, ("chess",))
    ],
]


def test_an_unanswered_handshake_is_dropped_without_an_http_answer(impatient):
    def visit(case):
        replies, offered, _ = case
        return impatient.visit(*replies, subprotocols=offered)

    with ThreadPoolExecutor(len(UNANSWERED)) as clients:
        visits = list(clients.map(visit, UNANSWERED))
    assert {visit.status for visit in visits} == {None}
    if impatient.is_real:
        assert [visit.events[-1] for visit in visits] == [left(1006)] * len(visits)
    else:
        assert [visit.diagnosis for visit in visits] == [diagnosis for *_, diagnosis in UNANSWERED]


def test_a_client_that_leaves_during_the_handshake_sends_no_code(daphne):
    assert daphne.visit_that_leaves_early(3000).events == [CONNECT, left(1006)]


def test_an_accept_after_the_handshake_timeout_reaches_no_client(impatient):
    pause = 0.8 if impatient.is_real else 5.5
    visit = impatient.visit(pause, ACCEPT, send(text="a"))
    assert (visit.status, visit.events[-1]) == (None, left(1006))


@pytest.mark.parametrize("chosen", ["chat", ("chat",)])
def test_an_echoed_subprotocol_reaches_the_client(daphne, chosen):
    visit = daphne.visit({**ACCEPT, "subprotocol": chosen}, subprotocols=["chess", "chat"])
    assert visit.scope["subprotocols"] == ["chess", "chat"]
    assert visit.subprotocol == "chat"


@pytest.mark.parametrize(
    "accept",
    [
        ACCEPT,
        {**ACCEPT, "subprotocol": None},
        {**ACCEPT, "subprotocol": ()},
        {**ACCEPT, "subprotocols": ["chat"]},
        *[{**ACCEPT, "headers": it} for it in ([(b"x-a", b"1")], [("a", "b")], [(b"a",)], None, 5)],
        {**ACCEPT, "headers": [(b"\r\n", b"")]},
    ],
)
def test_an_accept_needs_no_subprotocol_and_its_headers_are_ignored(daphne, accept):
    visit = daphne.visit(accept, send(text="after"), subprotocols=["chat"])
    assert (visit.status, visit.subprotocol, visit.frames) == (101, None, ["after"])
    assert "x-a" not in visit.headers


def test_the_scope_says_all_about_a_connection(daphne):
    scope = daphne.visit(ACCEPT, path="/caf%C3%A9/").scope
    keys = {"type", "asgi", "path", "raw_path", "root_path", "query_string", "headers", "client"}
    assert scope.keys() == keys | {"server", "subprotocols"}
    assert (scope["path"], scope["raw_path"]) == ("/café/", b"/caf%C3%A9/")
    assert isinstance(scope["query_string"], bytes)
    assert all(type(part) is bytes for pair in scope["headers"] for part in pair)
    assert scope["subprotocols"] == []
    assert dict(scope["headers"])[b"host"].startswith(b"127.0.0.1:")
    host, port = scope["client"]
    assert (host, type(port)) == ("127.0.0.1", int)


# Frames


def test_the_key_that_a_frame_does_not_use_is_left_out(daphne):
    visit = daphne.visit(ACCEPT, frames=[b"\x00", "text", "", b""])
    assert visit.events[1:-1] == [
        {"type": "websocket.receive", "bytes": b"\x00"},
        {"type": "websocket.receive", "text": "text"},
        {"type": "websocket.receive", "text": ""},
        {"type": "websocket.receive", "bytes": b""},
    ]


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (send(text="a"), "a"),
        *[(send(text="a", bytes=unused), "a") for unused in (None, b"")],
        ({**send(text="a"), "txt": "lost", 5: "a", HALF: "a"}, "a"),
        ("1 MiB of text", "é" * 2**19),
        ("1 MiB of bytes", b"x" * 2**20),
        *(
            (text, "hi")
            for text in ("a text of a subclass", "a text that is no str", "a lazy text")
        ),
    ],
)
def test_a_frame_reaches_the_client(daphne, message, frame):
    visit = daphne.visit(ACCEPT, message)
    assert visit.frames == [frame]
    assert type(visit.frames[0]) is type(frame)


@pytest.mark.parametrize("letter", ["é", "x", b"x"])
def test_a_frame_over_1_mib_cuts_the_connection(daphne, letter):
    size = 2**20 // len(letter.encode() if letter == "é" else letter)
    visit = daphne.visit(ACCEPT, frames=[letter * size, letter * (size + 1)], leaves=STAYS)
    assert [event["type"] for event in visit.events] == [
        "websocket.connect",
        "websocket.receive",
        "websocket.disconnect",
    ]
    assert visit.events[-1] == left(1006)


EMPTY = [send(text=""), send(bytes=b""), send(), send(text={}), send(text=0), send(bytes=[])]
UNKNOWN = ["websocket.sned", "websocket.receive", 5, [], {}, None, b"websocket.close", HALF]


@pytest.mark.parametrize("empty", [*EMPTY, send(txt="a")])
def test_an_empty_reply_of_any_kind_is_dropped(daphne, empty):
    assert daphne.visit(ACCEPT, empty, send(text="after")).frames == ["after"]


@pytest.mark.parametrize("kind", UNKNOWN)
def test_an_event_of_unknown_type_is_ignored(daphne, kind):
    assert daphne.visit(ACCEPT, {"type": kind}, send(text="after")).frames == ["after"]


# What ends the application


def not_an_int(code):
    return f"invalid type '{type(code)}' for close code (must be an integer)"


KILLS = [
    case("a second accept", ACCEPT, NOT_CONNECTING, "accept-twice"),
    case("text and bytes", send(text="a", bytes=b"b"), BOTH_KEYS, "both-keys"),
    case("half a character, bytes", send(text=HALF, bytes=b"b"), BOTH_KEYS, "both-keys"),
    case("half a character", send(text=f"a{HALF}"), f"{NOT_UTF_8} 1: surr", "text-not-encodable"),
    *[
        case(
            f"text {text!r}",
            send(text=text),
            f"'{type(text).__name__}' object has no",
            "payload-not-text",
        )
        for text in ({"a": 1}, ["a"], 5, b"a")
    ],
    *[
        case(
            f"bytes {data!r}",
            send(bytes=data),
            '"payload" must have type bytes',
            "payload-not-bytes",
        )
        for data in ("a", 5, [1])
    ],
    case("more text than 1 MiB", "more text", TOO_LARGE, "frame-too-large"),
    case("more bytes than 1 MiB", "more bytes", TOO_LARGE, "frame-too-large"),
    case("no type", {"text": "a"}, "'type'", "reply-without-type"),
    case("a str", "a", "string indices must be integers", "reply-not-a-dict"),
    case("a list", ["a"], "list indices must be integers or slices, not str", "reply-not-a-dict"),
    case("None", None, "'NoneType' object is not subscriptable", "reply-not-a-dict"),
    *[
        case(f"close code {code!r}", close(code), not_an_int(code), "forbidden-close-code")
        for code in ("4000", "", 4000.0, 4000.5, True, False, [])
    ],
    case("a code of an enum", "a code of an enum", "invalid type '<enum", "forbidden-close-code"),
]


@pytest.mark.parametrize(("reply", "error", "diagnosis"), KILLS)
def test_a_wrong_reply_kills_the_application(daphne, reply, error, diagnosis):
    visit = daphne.visit(ACCEPT, reply, leaves=STAYS)
    assert (visit.close_code, visit.frames) == (1011, [])
    assert died(daphne, visit, error, diagnosis)


@pytest.mark.parametrize("code", [0, 999, 1001, 1006, 1008, 1011, 2999, 5000])
def test_any_other_close_code_kills_the_application(daphne, code):
    visit = daphne.visit(ACCEPT, close(code), leaves=STAYS)
    assert visit.close_code == 1011
    error = f"invalid close code {code} (must be 1000 or from [3000, 4999])"
    assert died(daphne, visit, error, "forbidden-close-code")


@pytest.mark.parametrize(
    ("late", "error", "diagnosis"),
    [
        (send(text="late"), CLOSED, "send-after-close"),
        (send(text=HALF), f"{NOT_UTF_8} 0: surrogates not allowed", "text-not-encodable"),
        (ACCEPT, NOT_CONNECTING, "accept-twice"),
        (close("4013"), not_an_int(""), "forbidden-close-code"),
    ],
)
def test_a_wrong_reply_after_the_close_kills_the_application(daphne, late, error, diagnosis):
    visit = daphne.visit(ACCEPT, close(4013), late, leaves=STAYS)
    assert (visit.frames, visit.close_code) == ([], 4013)
    assert died(daphne, visit, error, diagnosis)


# The end


@pytest.mark.parametrize("code", [1000, 3000, 4000, 4999])
def test_a_close_code_that_a_server_may_send_comes_back_on_disconnect(daphne, code):
    visit = daphne.visit(ACCEPT, close(code), leaves=STAYS)
    assert (visit.close_code, visit.events[-1]) == (code, left(code))


@pytest.mark.parametrize("end", [CLOSE, close(None), {**CLOSE, "status": 4000, "reason": "done"}])
def test_a_close_without_a_code_means_1000(daphne, end):
    visit = daphne.visit(ACCEPT, end, leaves=STAYS)
    assert (visit.close_code, visit.events[-1]) == (1000, left(1000))


@pytest.mark.parametrize("late", [CLOSE, send(text=""), {"type": "websocket.sned"}])
def test_a_second_close_and_what_is_dropped_anyway_do_no_harm_after_a_close(daphne, late):
    visit = daphne.visit(ACCEPT, close(4000), late, leaves=STAYS)
    assert (visit.close_code, visit.events[-1]) == (4000, left(4000))


@pytest.mark.parametrize(
    ("leaves", "code"),
    [*[(code, code) for code in (1000, 1001, 3000, 4999)], (None, None), (VANISHES, 1006)],
    ids=["1000", "1001", "3000", "4999", "a browser's bare close", "a cut line"],
)
def test_disconnect_carries_the_code_that_the_client_gave(daphne, leaves, code):
    assert daphne.visit(ACCEPT, leaves=leaves).events[-1] == left(code)
