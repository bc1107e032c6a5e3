"""Writes events as text. All transcripts in Python come from this module."""

from collections.abc import Iterable, Mapping, Sequence
from os.path import commonprefix

from .events import Event, to_json

ARROWS = {"in": "→", "out": "←", "mark": "·"}
_MAX_LENGTH = 60  # characters of one value
_PART = 20  # characters that are shown of a long value that differs from another one
_BEFORE = 8  # how many of them stand before the first that differs
# The Unicode characters with the property Bidi_Control, and how they are shown.
_DIRECTION_MARKS = {
    mark: f"\\u{mark:04x}"
    for mark in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_LAYER_CALLS = {
    "send": ("channel", "message"),
    "group_send": ("group", "message"),
    "group_add": ("group", "channel"),
    "group_discard": ("group", "channel"),
}


def render(events: Iterable[Event], columns: int | None = None, waits: bool = False) -> str:
    """One line per event: number, lane, arrow (→ to the consumer), message, handler.

    With several connections, each lane has the number of its connection. If a line is longer than
    `columns`, no line has a handler, and long messages are cut. With `waits`, a conversation in
    which time passes has a column with the seconds since the first event.

         1  client    → websocket.connect                   websocket_connect
         2  client    ← websocket.accept                    websocket_connect
    """
    events = list(events)
    connections = connections_of(events)
    lane = 9 if len(connections) == 1 else 11
    times = _time_column(events) if waits else [""] * len(events)
    texts = [
        f"{number:>3}  {time}{lane_of(event, connections):<{lane}}{ARROWS[event.direction]} "
        f"{event_text(event.message)}"
        for number, (event, time) in enumerate(zip(events, times, strict=True), start=1)
    ]
    width = max(map(len, texts), default=0)
    pairs = zip(texts, events, strict=True)
    lines = [f"{text:<{width}}   {event.handler or ''}".rstrip() for text, event in pairs]
    if columns is not None and max(map(len, lines), default=0) > columns:
        lines = [_shorten(text, columns) for text in texts]
    return "\n".join(lines)


def _time_column(events: Sequence[Event]) -> list[str]:
    """For each event the seconds since the first one; empty texts if less than 0.1 s passed."""
    seconds = [f"{event.time - events[0].time:.1f} s" for event in events]
    if set(seconds) <= {"0.0 s"}:
        return [""] * len(events)
    width = max(map(len, seconds))
    return [f"{text:>{width}}  " for text in seconds]


def connections_of(events: Iterable[Event]) -> list[str]:
    """Ids of the connections, in the order of their first events."""
    return list(dict.fromkeys(event.connection for event in events))


def lane_of(event: Event, connections: Sequence[str]) -> str:
    """The lane of an event, with the number of its connection if there are several."""
    if len(connections) == 1:
        return event.lane
    return f"{event.lane} {connections.index(event.connection) + 1}"


def render_difference(
    expected: Sequence[dict], actual: Sequence[dict], first: int | None = None
) -> str:
    """What both conversations share, then the rest of each, with ≠ at the first difference.

      websocket.accept
    ≠ expected  websocket.send  text: "hi"
    ≠ got       (nothing)

    `first` is the index of the first difference, if it is one that a server does not see.
    """
    left = [event_text(message) for message in expected]
    right = [event_text(message) for message in actual]
    first = first_difference(expected, actual) if first is None else first
    if first is None:
        return "\n".join(f"  {text}" for text in left)
    if first < min(len(left), len(right)):
        starts = differing_places(expected[first], actual[first])
        left[first] = event_text(expected[first], starts)
        right[first] = event_text(actual[first], starts)
    lines = [f"  {text}" for text in left[:first]]
    for label, texts in (("expected", left), ("got", right)):
        head, *tail = texts[first:] or ["(nothing)"]
        lines += [f"≠ {label:<8}  {head}", *(f"{'':<12}{text}" for text in tail)]
    return "\n".join(lines)


def differing_places(expected, actual) -> dict[str, int]:
    """For each key with two texts, or with bytes twice: where the values differ first."""
    pairs = {key: (expected[key], actual[key]) for key in expected.keys() & actual.keys()}
    return {
        key: len(commonprefix(pair))  # noqa: RUF071 - texts, no paths
        for key, pair in pairs.items()
        if type(pair[0]) is type(pair[1]) in (str, bytes) and pair[0] != pair[1]
    }


def first_difference(expected: Sequence[dict], actual: Sequence[dict]) -> int | None:
    """Index of the first message that differs, or None."""
    for number, (one, other) in enumerate(zip(expected, actual, strict=False)):
        if normalize(one) != normalize(other):
            return number
    return None if len(expected) == len(actual) else min(len(expected), len(actual))


def normalize(message):
    """A message in a form in which two messages are equal if a server treats them the same.

    The ASGI spec allows a key to be left out instead of None. By default `close` has the code 1000,
    `accept` has no headers, and a body is the last one (ASGI spec, HTTP and WebSocket).
    """
    kept = {key: value for key, value in message.items() if value is not None}
    if kept.get("type") == "websocket.close":
        kept.setdefault("code", 1000)
        kept.pop("reason", None)
    if kept.get("type") == "websocket.accept" and not kept.get("headers"):
        kept.pop("headers", None)
    if kept.get("type") == "http.response.start":
        kept["headers"] = [tuple(pair) for pair in kept.get("headers", ())]
    if kept.get("type") == "http.response.body":
        kept = {"body": b"", "more_body": False, **kept}
    if kept.get("type") == "websocket.send" and {"text", "bytes"} <= kept.keys():
        # If one of two payloads is empty, Daphne sends the other one.
        kept = {key: value for key, value in kept.items() if value}
    return kept


def event_text(message, places: Mapping[str, int] | None = None) -> str:
    """A message on one line: its type, then its keys.

    Long values are cut. Of a key in `places` the part around that index is shown, and the length.
    Direction marks are escaped, because they could reverse the line.
    """
    return _event_text(message, places or {}).translate(_DIRECTION_MARKS)


def _event_text(message, places: Mapping[str, int]) -> str:
    kind = message.get("type", "(no type)")
    if kind == "scope":
        return _scope_text(message)
    if kind == "query":
        return _shorten(message["sql"])
    if kind == "raised":
        return f"raised {message['error'] or 'an exception'}"
    if isinstance(kind, str) and tuple(message)[1:] == _LAYER_CALLS.get(kind):
        _, to, what = message.values()
        return f"{kind}  {_value(to)}: {event_text(what) if isinstance(what, dict) else what}"
    keys = (f"{key}: {_value(it, places.get(key))}" for key, it in message.items() if key != "type")
    return f"{kind}  {'  '.join(keys)}".rstrip()


def _scope_text(message: dict) -> str:
    if "channel" in message:
        return f"scope  channel: {message['channel']}"
    query = _text(message.get("query_string", b""))
    offered = ", ".join(map(str, message.get("subprotocols", ())))
    text = message.get("path", "") + (f"?{query}" if query else "")
    method = f"{message['method']} " if "method" in message else ""
    details = f"  subprotocols: {offered}" if offered else ""
    for name, value in message.get("headers", ()):
        if name == b"origin":  # the page that opened the socket; other headers rarely matter
            details += f"  origin: {_shorten(_text(value))}"
    return f"scope  {method}{text}{details}"


def _text(item) -> str:
    return item.decode("latin1") if isinstance(item, bytes) else str(item)


def _value(item, place: int | None = None) -> str:
    """A value on one line. Of a long text or bytes, with a `place`: what stands around it."""
    text = _quoted(item)
    if place is None or len(text) <= _MAX_LENGTH:
        return _shorten(text)
    begin = max(0, place - _BEFORE) if place + _BEFORE > _PART else 0
    end = begin + _PART
    kind = "characters" if isinstance(item, str) else "bytes"
    dots = "…" if begin else "", "…" if end < len(item) else ""
    return f"{dots[0]}{_quoted(item[begin:end])}{dots[1]} ({len(item)} {kind})"


def _quoted(item) -> str:
    if isinstance(item, str):
        return _printable(f'"{item}"'.replace("\n", "\\n"))
    return repr(item) if isinstance(item, bytes | int | list | tuple | None) else str(to_json(item))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(it if it.isprintable() else ascii(it)[1:-1] for it in text)


def _shorten(text: str, limit: int = _MAX_LENGTH) -> str:
    text = _printable(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
