"""The grammar of the steps that a conversation consists of: one parser and one writer.

A step is one line of text. Transcripts in lessons, predictions, the page, the comparison and the
exported tests all use the same grammar:

    connect [/path/] [?query] [subprotocols=a,b] [as=ada] [ticket=ada] [origin=http://a.test]
    GET, POST piece piece, POST "body"    an HTTP request; each piece is one http.request event
    text hello                            the client sends a text frame
    bytes 00ff                            the client sends a binary frame
    close [code]                          the client closes the connection
    vanish                                the connection is lost, with code 1006
    wait 0.5                              so many seconds pass
    layer {"type": "a.message"}           another process sends this to the consumer's channel
    redis gone, redis back                Redis, which every channel layer uses, stops or returns
    crash                                 a handler raises an exception
    kill                                  the server cancels the consumer

With `as=ada` the user ada is logged in; with `ticket=ada` the path has a ticket of ada's. A number
in front, as in `2 connect`, is the number of the client; without one it is client 1. A client may
connect again. No client takes the following steps, so they have no number:

    row auth.Group {"name": "a"}          saves a row, or changes the one with that `id`
    rolled-back row auth.Group {...}      the same, in a transaction that is rolled back
    worker channel channel                starts `runworker` with these channels
    capacity 3                            as the first step: a channel holds three messages
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

METHODS = ("GET", "POST")
BEGINNINGS = ("connect", *METHODS)  # the steps that open a connection
_WITHOUT_CLIENT = ("row", "worker", "capacity")
_HANDSHAKE_KEYS = ("subprotocols", "as", "ticket", "origin")


class UnknownStep(ValueError):
    """A step that cannot be parsed or played; the text says what to write instead."""


@dataclass(frozen=True)
class Step:
    """One step: its action, its arguments as JSON values, and the number of its client.

    `client` is None for a step that no client takes. The arguments of each action:

        connect             path, query, subprotocols (a list), as, ticket, origin; all optional
        GET, POST           body (a string), or pieces (a list of strings), or neither
        text, bytes         text; hex
        close               code, optional
        vanish, crash, kill none
        wait                seconds
        layer               message
        redis               state: "gone" or "back"
        row                 model, fields; rolled_back: true where the transaction is rolled back
        worker              channels
        capacity            messages
    """

    action: str
    arguments: dict[str, Any] = field(default_factory=dict)
    client: int | None = 1

    def __str__(self) -> str:
        """Write the step; parse_step() reads it back. The number of client 1 is left out."""
        words = _ACTIONS[self.action].write(self.arguments)
        text = " ".join([self.action, *words])
        if self.arguments.get("rolled_back"):
            text = f"rolled-back {text}"
        return text if self.client in (None, 1) else f"{self.client} {text}"

    def __hash__(self) -> int:
        return hash(str(self))

    def as_json(self) -> dict[str, Any]:
        """The parts of the step for a page, and the step as it is written."""
        return {
            "step": str(self),
            "client": self.client,
            "action": self.action,
            "arguments": self.arguments,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Step":
        """The step that `data` describes, as as_json() does. Raises UnknownStep."""
        try:
            written = str(cls(data["action"], data["arguments"], data["client"]))
        except (KeyError, TypeError, AttributeError, ValueError):
            raise UnknownStep(
                f"{data!r} is not a step: it needs action, arguments and client."
            ) from None
        return parse_step(written)  # checks the arguments, and brings them into their usual form


def parse_step(text: str) -> Step:
    """Parse one step. Raises UnknownStep."""
    number, _, rest = text.partition(" ")
    client, line = (int(number), rest) if number.isdecimal() else (None, text)
    action, _, rest = line.partition(" ")
    rolled_back = action == "rolled-back" and rest.startswith("row ")
    if rolled_back:
        action, _, rest = rest.partition(" ")
    if action not in _ACTIONS:
        raise UnknownStep(f"The step {text!r} is unknown: write {', '.join(_ACTIONS)}.")
    if action in _WITHOUT_CLIENT and client is not None:
        raise UnknownStep(f"No client takes the step {line!r}: remove the number {client}.")
    try:
        arguments = _ACTIONS[action].parse(rest)
    except ValueError as error:
        usage = _ACTIONS[action].usage
        raise UnknownStep(f"The step {text!r} cannot be read ({error}): write {usage}.") from None
    if rolled_back:
        arguments["rolled_back"] = True
    if action not in _WITHOUT_CLIENT and client is None:
        client = 1
    return Step(action, arguments, client)


def split_steps(text: str) -> list[str]:
    """The steps of a conversation that is written on one line: `connect | text hello | close`."""
    return [step.strip() for step in text.split("|")]


@dataclass(frozen=True)
class _Action:
    """How the arguments of one action are read and written; `usage` is for error messages."""

    usage: str
    parse: Callable[[str], dict[str, Any]]
    write: Callable[[dict[str, Any]], list[str]]


def _parse_connect(rest: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for word in rest.split():
        key, equals, value = word.partition("=")
        if word.startswith("/"):
            arguments["path"] = word
        elif word.startswith("?"):
            pairs = parse_qs(word[1:], keep_blank_values=True)
            arguments["query"] = urlencode(pairs, doseq=True)
        elif equals and key in _HANDSHAKE_KEYS:
            arguments[key] = value.split(",") if key == "subprotocols" else value
        else:
            raise ValueError(f"connect does not know {word!r}")
    return arguments


def _write_connect(arguments: dict[str, Any]) -> list[str]:
    words = [arguments["path"]] if "path" in arguments else []
    if "query" in arguments:
        words.append(f"?{arguments['query']}")
    for key in _HANDSHAKE_KEYS:
        if key in arguments:
            value = arguments[key]
            words.append(f"{key}={','.join(value) if key == 'subprotocols' else value}")
    return words


def _parse_request(rest: str) -> dict[str, Any]:
    if rest.startswith('"'):
        body = json.loads(rest)
        body.encode()  # a lone surrogate is not a body
        return {"body": body}
    return {"pieces": rest.split()} if rest.split() else {}


def _write_request(arguments: dict[str, Any]) -> list[str]:
    if "body" in arguments:
        return [_json_text(arguments["body"])]
    return arguments.get("pieces", [])


def _parse_wait(rest: str) -> dict[str, Any]:
    seconds = float(rest)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("not a length of time")
    return {"seconds": seconds}


def _write_wait(arguments: dict[str, Any]) -> list[str]:
    seconds = float(arguments["seconds"])
    return [str(int(seconds) if seconds.is_integer() else seconds)]


def _parse_redis(rest: str) -> dict[str, Any]:
    if rest not in ("gone", "back"):
        raise ValueError("neither gone nor back")
    return {"state": rest}


def _parse_row(rest: str) -> dict[str, Any]:
    model, _, fields = rest.partition(" ")
    return {"model": model, "fields": _json_object(fields)}


def _parse_worker(rest: str) -> dict[str, Any]:
    if not rest.split():
        raise ValueError("a worker needs a channel")
    return {"channels": rest.split()}


def _parse_nothing(rest: str) -> dict[str, Any]:
    if rest:
        raise ValueError(f"nothing may follow, not {rest!r}")
    return {}


def _json_object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    json.dumps(value, allow_nan=False)
    return value


def _json_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_REQUEST = (_parse_request, _write_request)
_NOTHING = (_parse_nothing, lambda arguments: [])
_ACTIONS = {
    "connect": _Action(
        "connect [/path/] [?query] [subprotocols=a,b] [as=ada] [ticket=ada] [origin=http://a.test]",
        _parse_connect,
        _write_connect,
    ),
    "GET": _Action("GET", *_REQUEST),
    "POST": _Action('POST piece piece, or POST "body"', *_REQUEST),
    "text": _Action(
        "text hello",
        lambda rest: {"text": rest},
        lambda arguments: [arguments["text"]] if arguments["text"] else [],
    ),
    "bytes": _Action(
        "bytes 00ff",
        lambda rest: {"hex": bytes.fromhex(rest).hex()},
        lambda arguments: [arguments["hex"]] if arguments["hex"] else [],
    ),
    "close": _Action(
        "close, or close 1001",
        lambda rest: {"code": int(rest)} if rest else {},
        lambda arguments: [str(arguments["code"])] if "code" in arguments else [],
    ),
    "vanish": _Action("vanish", *_NOTHING),
    "wait": _Action("wait 0.5", _parse_wait, _write_wait),
    "layer": _Action(
        'layer {"type": "a.message"}',
        lambda rest: {"message": _json_object(rest)},
        lambda arguments: [_json_text(arguments["message"])],
    ),
    "redis": _Action(
        "redis gone, or redis back", _parse_redis, lambda arguments: [arguments["state"]]
    ),
    "crash": _Action("crash", *_NOTHING),
    "kill": _Action("kill", *_NOTHING),
    "row": _Action(
        'row auth.Group {"name": "a"}',
        _parse_row,
        lambda arguments: [arguments["model"], _json_text(arguments["fields"])],
    ),
    "worker": _Action("worker channel", _parse_worker, lambda arguments: arguments["channels"]),
    "capacity": _Action(
        "capacity 3",
        lambda rest: {"messages": int(rest)},
        lambda arguments: [str(arguments["messages"])],
    ),
}
