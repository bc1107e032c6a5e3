"""What was played in one turn, as lines of a test: the step is taken, what came of it asserted."""

import builtins
import json
import re

from lessons.playback.conversation import FROZEN_NOW, Turn
from lessons.playback.steps import METHODS, handshake
from lessons.wire.events import Event
from lessons.wire.redaction import HIDDEN

# What is another in every run: a channel's name, a session's key, the time of day, a secret.
_ANOTHER = re.compile(
    rf"specific\.check!\d+|0{{20,}}\d+|{FROZEN_NOW:%Y-%m-%dT%H:%M:%S}[+:\dZ]*|{re.escape(HIDDEN)}"
)
_WIDEST = 90  # characters
_WAIT = "timeout=PATIENCE"


def lines_of(turn: Turn, home: str) -> list[str]:
    """The lines of that turn; none where the client could not take the step any more."""
    name = turn.step.partition(" ")[0]
    own = [event for number, event in turn.events if number == turn.client]
    if name != "wait" and not any(event.direction == "in" for event in own):
        return []
    lines = _taken(turn, own, home)
    told = [line for number in _in_turn(turn) for line in _asserted(turn, number)]
    is_silent = name in ("text", "bytes") and not told
    return lines + (told or [f"assert await client_{turn.client}.receive_nothing()"] * is_silent)


def _in_turn(turn: Turn) -> list[int]:
    return list(dict.fromkeys(number for number, _ in turn.events))


def _taken(turn: Turn, own: list[Event], home: str) -> list[str]:
    it = f"client_{turn.client}"
    name, _, rest = turn.step.partition(" ")
    if name == "connect":
        return [_made(it, turn.step, home), *_answered(it, own)]
    if name in METHODS:
        requests = [event.message for event in own if event.message["type"] == "http.request"]
        made = f'{it} = HttpCommunicator(application, "{name}", {literal(home)})'
        return [made, *(f"await {it}.send_input({literal(request)})" for request in requests)]
    if name in ("text", "bytes"):
        data = rest if name == "text" else bytes.fromhex(rest)
        if data:
            return [f"await {it}.send_to({name}_data={literal(data)})"]
        # The stock send_to takes an empty frame for a missing one.
        message = {"type": "websocket.receive", name: data}
        return [f"await {it}.send_input({literal(message)})"]
    if name in ("close", "vanish"):
        return _left(it, next(event.message for event in own if event.direction == "in"))
    return []


def _made(it: str, step: str, home: str) -> str:
    told = handshake(step)
    path = told.get("path", home) + (f"?{told['query']}" if "query" in told else "")
    origin = f'(b"origin", {literal(told["origin"].encode())})' if "origin" in told else ""
    cookie = told.get("as", "")
    headers = (
        f"[{', '.join(filter(None, [cookie and f'*{cookie}', origin]))}]" if origin else cookie
    )
    if "ticket" in told:
        path = f'f"{path}?ticket={{{ticket_named(told["ticket"])}}}"'
    else:
        path = literal(path)
    arguments = ["application", path]
    if headers:
        arguments.append(f"headers={headers}")
    if "subprotocols" in told:
        arguments.append(f"subprotocols={literal(told['subprotocols'].split(','))}")
    line = f"{it} = WebsocketCommunicator({', '.join(arguments)})"
    if len(line) <= _WIDEST:
        return line
    return (
        "\n        ".join([f"{it} = WebsocketCommunicator(", *(f"{one}," for one in arguments)])
        + "\n    )"
    )


def ticket_named(name: str) -> str:
    """The name in a test of a conversation's ticket: `ada`, or `ada/2`."""
    return f"ticket_{name.replace('/', '_')}"


def _answered(it: str, own: list[Event]) -> list[str]:
    """The end of the handshake, where it came to one."""
    replies = [event.message for event in own if _is_said(event)]
    if not replies:
        return [f'await {it}.send_input({{"type": "websocket.connect"}})']
    accepted = replies[0]["type"] == "websocket.accept"
    told = replies[0].get("subprotocol") if accepted else replies[0].get("code", 1000)
    return [f"assert await {it}.connect({_WAIT}) == ({accepted}, {literal(told)})"]


def _left(it: str, message: dict) -> list[str]:
    code = message.get("code")
    if message["type"] == "websocket.disconnect" and code is not None:
        return [f"await {it}.disconnect(code={code}, {_WAIT})"]
    return [f"await {it}.send_input({literal(message)})", f"await {it}.wait({_WAIT})"]


def _asserted(turn: Turn, number: int) -> list[str]:
    """All that this client's consumer sent, and how it ended."""
    it, name = f"client_{number}", turn.step.partition(" ")[0]
    events = [event for client, event in turn.events if client == number]
    is_own = number == turn.client
    said = [event for event in events if _is_said(event)]
    if is_own and name == "connect":
        said = said[1:]
    lines = [_heard(it, event.message) for event in said]
    left = [
        event.message
        for event in events
        if event.message["type"].endswith(".disconnect") and event.lane == "client"
    ]
    ended = [event.message for event in events if event.lane == "consumer"]
    if raised := [message["error"] for message in ended if message["type"] == "raised"]:
        return [*lines, *_raised(it, raised[0])]
    if left and not (is_own and name in ("close", "vanish")):
        return lines + _left(it, left[0])
    return lines + [f"await {it}.wait({_WAIT})"] * bool(ended and not left)


def _is_said(event: Event) -> bool:
    return event.lane == "client" and event.direction == "out"


def _heard(it: str, message: dict) -> str:
    """A frame by its payload, an empty one or any other event as it stands."""
    data = message.get("text") or message.get("bytes")
    if message["type"] != "websocket.send" or not data:
        return _equals(f"await {it}.receive_output({_WAIT})", literal(message))
    heard = f"await {it}.receive_from({_WAIT})"
    if isinstance(data, str) and _ANOTHER.search(data):
        pieces = [re.escape(piece) for piece in _ANOTHER.split(data)]
        return f"came = {heard}\n    assert re.fullmatch({literal('.+'.join(pieces))}, came)"
    return _equals(heard, literal(data))


def _equals(call: str, expected: str) -> str:
    line = f"assert {call} == {expected}"
    if len(line) <= _WIDEST:
        return line
    return f"came = {call}\n    assert came == {expected}"


def _raised(it: str, error: str) -> list[str]:
    name, _, text = error.partition(": ")
    known = name if isinstance(getattr(builtins, name, None), type) else "Exception"
    match = f", match={literal(re.escape(text))}" if text else ""
    return [f"with pytest.raises({known}{match}):", f"    await {it}.wait({_WAIT})"]


def literal(value) -> str:
    """`value` as it is written in Python, strings in the quotes of these tests."""
    if isinstance(value, str):
        written = json.dumps(value, ensure_ascii=False)
        if '"' in value and "'" not in value:
            return "'" + written[1:-1].replace('\\"', '"') + "'"
        return written
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        items = ", ".join(map(literal, value))
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items}{',' * (len(value) == 1)})"
    if isinstance(value, bytes) and b"'" not in value and b'"' not in value:
        return f'b"{repr(value)[2:-1]}"'
    return repr(value)
