"""How events become text."""

from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import (
    event_text,
    first_difference,
    normalize,
    render,
    render_difference,
)


def event(seq, lane, direction, message, handler=None, connection="c1"):
    return Event(seq, float(seq), lane, direction, message, "MainThread", handler, connection)


def test_renders_a_line_with_arrow_message_and_handler_for_each_event():
    events = [
        event(1, "client", "in", {"type": "scope", "path": "/ws/", "query_string": b"a=1"}),
        event(2, "client", "in", {"type": "websocket.connect"}, "websocket_connect"),
        event(3, "client", "out", {"type": "websocket.send", "text": "hi\n"}, "websocket_connect"),
        event(4, "database", "out", {"type": "query", "sql": "SELECT 1"}),
        event(5, "consumer", "mark", {"type": "raised", "error": "ValueError: no"}),
    ]

    assert render(events).splitlines() == [
        "  1  client   → scope  /ws/?a=1",
        "  2  client   → websocket.connect              websocket_connect",
        '  3  client   ← websocket.send  text: "hi\\n"   websocket_connect',
        "  4  database ← SELECT 1",
        "  5  consumer · raised ValueError: no",
    ]


def test_direction_marks_cannot_reverse_a_line():
    for mark in "\u202e\u2066\u200f\u061c":
        escaped = f"\\u{ord(mark):04x}"
        for message in (
            {"type": "websocket.receive", "text": f"a{mark}b"},
            {"type": "raised", "error": f"ValueError: {mark}"},
            {"type": "scope", "path": f"/ws/{mark}/"},
        ):
            assert mark not in event_text(message)
            assert escaped in event_text(message)


def test_a_scope_shows_its_origin():
    headers = [(b"host", b"a.test"), (b"origin", b"http://b.test")]
    scope = {"type": "scope", "path": "/ws/", "subprotocols": ["x"], "headers": headers}

    assert event_text(scope) == "scope  /ws/  subprotocols: x  origin: http://b.test"
    hostile = {**scope, "headers": [(b"origin", "\x1b")]}
    assert event_text(hostile) == "scope  /ws/  subprotocols: x  origin: \\x1b"


def test_a_layer_call_and_its_message_look_alike():
    message = {"type": "chat.message", "text": "hi"}
    call = {"type": "group_send", "group": "lobby", "message": message}
    join = {"type": "group_add", "group": "lobby", "channel": "specific.check!1"}

    assert event_text(message) == 'chat.message  text: "hi"'
    assert event_text(call) == 'group_send  "lobby": chat.message  text: "hi"'
    assert event_text({**call, "message": "hi"}) == 'group_send  "lobby": hi'
    assert event_text(join) == 'group_add  "lobby": specific.check!1'
    assert event_text({"type": "send", "text": "hi"}) == 'send  text: "hi"'
    assert event_text({"type": ["send"]}) == "['send']"


def test_omits_handlers_in_a_narrow_terminal():
    events = [event(1, "client", "in", {"type": "websocket.connect"}, "websocket_connect")]

    assert render(events, columns=40) == "  1  client   → websocket.connect"


def test_a_long_text_is_cut_and_stays_on_one_line():
    line = render([event(1, "client", "in", {"type": "websocket.receive", "text": "x" * 900})])

    assert len(line) < 120
    assert "…" in line


def test_control_characters_never_reach_a_terminal():
    line = render([event(1, "client", "in", {"type": "websocket.receive", "text": "\x1b[2J"})])

    assert "\x1b" not in line
    assert "\\x1b[2J" in line


def test_marks_the_first_difference_only():
    accept, close = {"type": "websocket.accept"}, {"type": "websocket.close"}

    assert render_difference([accept, close, close], [accept, accept]).splitlines() == [
        "  expected           got",
        "  websocket.accept   websocket.accept",
        "≠ websocket.close    websocket.accept",
        "  websocket.close    (nothing)",
    ]


def test_prints_differences_one_below_the_other_in_a_narrow_terminal():
    accept, close = {"type": "websocket.accept"}, {"type": "websocket.close"}

    assert render_difference([accept, close, close], [accept, accept], columns=30).splitlines() == [
        "  websocket.accept",
        "≠ expected  websocket.close",
        "            websocket.close",
        "≠ got       websocket.accept",
    ]
    assert render_difference([accept, close], [accept], columns=30).splitlines()[1:] == [
        "≠ expected  websocket.close",
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


def test_an_empty_text_differs_from_none():
    empty = {"type": "websocket.send", "text": ""}

    assert first_difference([empty], [{"type": "websocket.send"}]) == 0


def test_equal_messages_have_no_difference():
    assert first_difference([{"type": "websocket.close"}], [{"type": "websocket.close"}]) is None


def test_renders_values_that_are_not_messages():
    assert (
        render_difference([{"type": "websocket.close"}], ["close"])
        .splitlines()[1]
        .endswith("'close'")
    )


def test_numbers_the_lanes_of_several_connections():
    connect = {"type": "websocket.connect"}
    events = [event(1, "client", "in", connect), event(2, "client", "in", connect, None, "c2")]

    assert render(events).splitlines() == [
        "  1  client 1   → websocket.connect",
        "  2  client 2   → websocket.connect",
    ]


def test_a_difference_in_a_long_text_is_shown_with_both_lengths():
    expected = [{"type": "websocket.send", "text": "a" * 70_000}]
    actual = [{"type": "websocket.send", "text": "a" * 4096}]
    assert render_difference(expected, actual, 76) == (
        '≠ expected  websocket.send  text: …"aaaaaaaaaaaaaaaaaaaa"… (70000 characters)\n'
        '≠ got       websocket.send  text: …"aaaaaaaa" (4096 characters)'
    )


def test_a_difference_in_long_bytes_is_shown_where_it_begins():
    expected = [{"type": "websocket.send", "bytes": b"\x00" * 100 + b"right" + b"!" * 100}]
    actual = [{"type": "websocket.send", "bytes": b"\x00" * 100 + b"wrong" + b"!" * 100}]
    zeros = r"\x00" * 8
    assert [line.partition("bytes: ")[2] for line in _lines(expected, actual)] == [
        f"…b'{zeros}right!!!!!!!'… (205 bytes)",
        f"…b'{zeros}wrong!!!!!!!'… (205 bytes)",
    ]


def _lines(expected, actual):
    return render_difference(expected, actual, 76).splitlines()


def test_a_conversation_in_which_time_passes_can_show_the_seconds():
    events = [
        event(1, "client", "in", {"type": "websocket.connect"}),
        event(2, "client", "out", {"type": "websocket.accept"}),
    ]
    assert render(events, waits=True).splitlines() == [
        "  1  0.0 s  client   → websocket.connect",
        "  2  1.0 s  client   ← websocket.accept",
    ]
    assert render(events[:1], waits=True) == "  1  client   → websocket.connect"
