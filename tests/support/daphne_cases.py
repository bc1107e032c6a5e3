"""Unusual messages and what Daphne does with them: for the facts and for the simulator's rules."""

import pytest

from tests.support.programs.real_daphne import ACCEPT, CLOSE, send
from tests.support.python_messages import unhashable

HALF = "\ud800"  # half of a surrogate pair: a str can hold it, UTF-8 cannot
NOT_UTF_8 = r"'utf-8' codec can't encode character '\ud800' in position"
START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body"}


def close(code):
    return {**CLOSE, "code": code}


def not_an_int(code):
    return f"invalid type '{type(code)}' for close code (must be an integer)"


# The replies of an application, and the beginning of the error that the last of them raises.
RAISING = [
    ([ACCEPT, send(text=f"a{HALF}")], f"{NOT_UTF_8} 1: surrogates not allowed"),
    ([ACCEPT, CLOSE, send(text=HALF)], f"{NOT_UTF_8} 0: surrogates not allowed"),
    (
        [ACCEPT, send(text=HALF, bytes=b"a")],
        "Got invalid WebSocket reply message on {'type': 'websocket.send', 'text': '\\ud800'",
    ),
    *[([ACCEPT, close(code)], not_an_int(code)) for code in ("4013", "", 4000.5, False, [])],
    ([ACCEPT, close(0)], "invalid close code 0 (must be 1000 or from [3000, 4999])"),
    ([ACCEPT, close(4013), close("4013")], not_an_int("4013")),
]

TOO_LARGE = "tried to send WebSocket message with size {} exceeding payload limit of 1048576 octets"

# Half of the largest frame, what is added to this half, and the error that the two halves raise.
HALF_A_MIB = [
    pytest.param("x" * 2**19, "x", TOO_LARGE.format(2**20 + 2), id="text"),
    pytest.param("é" * 2**18, "é", TOO_LARGE.format(2**20 + 4), id="two bytes a character"),
    pytest.param(b"x" * 2**19, b"x", TOO_LARGE.format(2**20 + 2), id="bytes"),
]

# Replies after which the connection is open, as if the last one had been a bare accept.
IGNORED = [
    *[[{**ACCEPT, "headers": it}] for it in ([("a", "b")], [(b"a",)], None, 5, [(b"\r\n", b"")])],
    [{**ACCEPT, "subprotocols": ["chat"]}],
    [{**ACCEPT, "subprotocol": ()}],
    *[[ACCEPT, {"type": kind}] for kind in ([], {}, None, b"websocket.close", HALF)],
    [ACCEPT, send(txt="a")],
    [ACCEPT, {**send(), 5: "a", HALF: "a"}],
]

# Values of "subprotocol" after which the handshake stays unanswered, for a client with "chat".
UNANSWERED = [b"chat", ["chat"], {}, 0, False, "", HALF, ("chess",)]

# Messages that Daphne does not look at once the connection is over.
UNREAD = [{"text": "no type"}, None, "a", send(text=HALF), close("4013"), {"type": []}]

# Replies to a request, and the error of the last of them.
RAISING_IN_HTTP = [
    ([{**START, "headers": 0}], "'int' object is not iterable"),
    ([{**START, "headers": "ab"}], "not enough values to unpack (expected 2, got 1)"),
    ([{**START, "headers": ["ab"]}], "Header name 'a' expected to be `bytes`, but got `<class "),
    ([{"type": []}], "Cannot handle message type []!"),
    (["ab"], "string indices must be integers"),
]

# As RAISING_IN_HTTP, after the response was started.
RAISING_AFTER_START = [
    ([{**START, "headers": [(b"x y", b"a")]}], "b'x y'"),
    ([{**START, "status": [200]}], unhashable([200])),
    ([{**START, "status": None}, BODY], "%d format: a real number is required, not NoneType"),
    ([START, {**BODY, "body": HALF}], "Data must be bytes"),
]

# Replies to a request, and the client's response.
ANSWERED = [
    ([{**START, "header": [(b"x", b"a")]}, {**BODY, "body": b"a", "text": "b"}], b"a"),
    ([{**START, "headers": {}}, {**BODY, "text": "a"}], b""),
    ([{**START, "headers": [[b"x", b"a\r\nb"]]}, {**BODY, "body": b"a"}], b"a"),
    (
        [{**START, "status": 200.7}, {**BODY, "body": b"a", "more_body": "no"}, BODY],
        b"a",
    ),
]
