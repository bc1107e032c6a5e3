"""Transcripts in texts and findings, as HTML."""

from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.page.transcript_markup import (
    parse_transcript,
    transcript_to_html,
    transcript_to_json,
)

CONNECT = Event(
    1, 0.0, "client", "in", {"type": "websocket.connect"}, "T", "websocket_connect", "a"
)
SENT = Event(2, 1.5, "client", "out", {"type": "websocket.send", "text": "a   b"}, "T", None, "a")
OTHER = Event(1, 1.5, "layer", "in", {"type": "room.<b>"}, "T", "room_message", "b")
ENDED = Event(3, 1.5, "consumer", "mark", {"type": "finished"}, "T", None, "a")


def test_parses_what_render_writes():
    found = parse_transcript(render([CONNECT, SENT, ENDED]))
    assert [tuple(line.values()) for line in found] == [
        ("", "client", "", "→", "websocket.connect", "", "websocket_connect"),
        ("", "client", "", "←", "websocket.send", '  text: "a   b"', ""),
        ("", "consumer", "", "·", "finished", "", ""),
    ]


def test_escapes_events():
    html = transcript_to_html("transcript: shop.Shop", render([OTHER, CONNECT]))
    assert "<b>room.&lt;b&gt;</b>" in html
    assert "<i>layer 1</i><i>→</i>" in html
    assert "<em>room_message</em>" in html


def test_a_recorded_transcript_in_a_text_becomes_a_list_of_events():
    body = render([CONNECT, SENT])
    html = markdown_to_html(f"```text transcript: shop.Shop | connect | text <hi>\n{body}\n```")
    assert "<figcaption>Shop: <code>connect</code>" in html
    assert 'href="?target=shop.Shop#step=connect&amp;step=text+%3Chi%3E"' in html
    assert "<code>text &lt;hi&gt;</code>" in html
    assert html.count("<li data-lane=") == 2


def test_a_transcript_is_a_recording_again_for_a_diagram():
    recording = transcript_to_json(render([CONNECT, OTHER, SENT]))
    assert [one["client"] for one in recording["connections"]] == ["1", "2"]
    events = recording["events"]
    assert [(one["connection"], one["seq"]) for one in events] == [("1", 1), ("2", 1), ("1", 2)]
    assert events[0]["message"] == {"type": "websocket.connect"}
    assert events[2]["text"].startswith("websocket.send")
