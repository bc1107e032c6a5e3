"""An event holds exact built-in types, and becomes JSON, a literal or a line of text."""

from collections import OrderedDict
from enum import IntEnum

import pytest

from lessons.workshop.engine.recording.events import error_text, exact_copy
from lessons.workshop.engine.recording.transcript import (
    event_text,
    normalize,
    render_difference,
)
from tests.support.scripted_events import EqualsEverything


class Disguised(bytes):
    def __bytes__(self):
        return b"another value"


class Closes(IntEnum):
    OVER = 4000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (EqualsEverything("hi"), "hi"),
        (Disguised(b"hi"), b"hi"),
        (Closes.OVER, 4000),
        (OrderedDict(a=(1, Closes.OVER)), {"a": (1, 4000)}),
        ({EqualsEverything("key"): 1}, {"key": 1}),
    ],
)
def test_a_subclass_is_copied_as_its_value(value, expected):
    # repr shows the class of a member of an enum and of an OrderedDict.
    assert repr(exact_copy(value)) == repr(expected)
    assert type(exact_copy(value)) is type(expected)


def test_the_text_of_an_error_has_no_address_of_an_object():
    class Lamp:
        pass

    assert (
        error_text(TypeError(f"no {Lamp()!r}"))
        == f"TypeError: no <{Lamp.__module__}.{Lamp.__qualname__} object>"
    )


# Events as text. The transcripts of the lessons prove the rest.


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\u061c"])
def test_no_direction_mark_reverses_a_line(mark):
    for message in (
        {"type": "websocket.receive", "text": f"a{mark}b"},
        {"type": "raised", "error": f"ValueError: {mark}"},
        {"type": "scope", "path": f"/ws/{mark}/"},
    ):
        assert mark not in event_text(message)
        assert repr(mark)[1:-1] in event_text(message)


def test_control_characters_of_a_client_are_escaped():
    assert "\\x1b[2J" in event_text({"type": "websocket.receive", "text": "\x1b[2J"})
    assert '"ä\\r\\n"' in event_text({"type": "websocket.receive", "text": "ä\r\n"})
    headers = [(b"host", b"a.test"), (b"origin", b"\x1b")]
    scope = {"type": "scope", "path": "/", "subprotocols": ["x"], "headers": headers}
    assert event_text(scope) == "scope  /  subprotocols: x  origin: \\x1b"


def test_shows_what_is_equal_once_and_both_rests_from_the_first_difference_on():
    accept, close = {"type": "websocket.accept"}, {"type": "websocket.close"}

    assert render_difference([accept, close, close], [accept, accept]).splitlines() == [
        "  websocket.accept",
        "≠ expected  websocket.close",
        "            websocket.close",
        "≠ got       websocket.accept",
    ]
    assert render_difference([accept], []).splitlines() == [
        "≠ expected  websocket.accept",
        "≠ got       (nothing)",
    ]


def test_equal_messages_for_a_server_are_not_a_difference():
    pairs = [
        ({"type": "websocket.send", "text": "a", "bytes": None}, {"text": "a"}),
        ({"type": "websocket.close", "code": 1000, "reason": "x"}, {}),
        ({"type": "websocket.accept", "headers": [], "subprotocol": None}, {}),
    ]
    for message, rest in pairs:
        assert normalize(message) == normalize({"type": message["type"], **rest})


def test_a_difference_in_a_long_text_is_shown_with_both_lengths():
    expected = [{"type": "websocket.send", "text": "a" * 70_000}]
    actual = [{"type": "websocket.send", "text": "a" * 4096}]
    assert render_difference(expected, actual) == (
        '≠ expected  websocket.send  text: …"aaaaaaaaaaaaaaaaaaaa"… (70000 characters)\n'
        '≠ got       websocket.send  text: …"aaaaaaaa" (4096 characters)'
    )
