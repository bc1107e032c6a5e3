"""The grammar of the steps that a conversation consists of: one parser and one writer.

A step is one line of text. Transcripts in lessons, predictions, the page, the comparison and the
exported tests all use the same grammar:

    connect [/path/] [?query] [subprotocols=a,b] [as=ada] [ticket=ada] [origin=http://a.test]
    GET, POST piece piece, POST "body"    an HTTP request; each piece is one http.request event
    text hello                            the client sends a text frame
    bytes 00ff                            the client sends a binary frame
    close [code]                          the client closes the connection
    vanish                                the connection is lost, with code 1006
    wait 0.5                              half a second passes
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
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

METHODS = ("GET", "POST")
BEGINNINGS = ("connect", *METHODS)  # the steps that open a connection
_WITHOUT_CLIENT = ("row", "worker", "capacity")
_HANDSHAKE_KEYS = ("subprotocols", "as", "ticket", "origin")
_USAGES = {
    "connect": "connect [/path/] [?query] [subprotocols=a,b] [as=ada] [ticket=ada] [origin=URL]",
    "GET": "GET",
    "POST": 'POST piece piece, or POST "body"',
    "text": "text hello",
    "bytes": "bytes 00ff",
    "close": "close, or close 1001",
    "vanish": "vanish",
    "wait": "wait 0.5",
    "layer": 'layer {"type": "a.message"}',
    "redis": "redis gone, or redis back",
    "crash": "crash",
    "kill": "kill",
    "row": 'row auth.Group {"name": "a"}',
    "worker": "worker channel",
    "capacity": "capacity 3",
}


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
        text = " ".join([self.action, *_write_arguments(self.action, self.arguments)])
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
    has_number = number.isdecimal() and len(number) < 10
    client, line = (int(number), rest) if has_number else (1, text)
    action, _, rest = line.partition(" ")
    rolled_back = action == "rolled-back" and rest.startswith("row ")
    if rolled_back:
        action, _, rest = rest.partition(" ")
    if action not in _USAGES:
        raise UnknownStep(f"The step {text!r} is unknown: write {', '.join(_USAGES)}.")
    if action in _WITHOUT_CLIENT and has_number:
        raise UnknownStep(f"No client takes the step {line!r}: remove the number {client}.")
    try:
        arguments = _parse_arguments(action, rest)
    except ValueError as error:
        reason = f"cannot be read ({error})" if str(error) else "cannot be read"
        raise UnknownStep(f"The step {text!r} {reason}: write {_USAGES[action]}.") from None
    if rolled_back:
        arguments["rolled_back"] = True
    return Step(action, arguments, None if action in _WITHOUT_CLIENT else client)


def split_steps(text: str) -> list[str]:
    """The steps of a conversation that is written on one line: `connect | text hello | close`."""
    return [step.strip() for step in text.split("|")]


def _parse_arguments(action: str, rest: str) -> dict[str, Any]:
    """The arguments that follow the action. Raises ValueError."""
    match action:
        case "connect":
            return _parse_handshake(rest)
        case "GET" | "POST" if rest.startswith('"'):
            body = json.loads(rest)
            body.encode()  # a lone surrogate is not a body
            return {"body": body}
        case "GET" | "POST":
            return {"pieces": rest.split()} if rest.split() else {}
        case "text":
            return {"text": rest}
        case "bytes":
            return {"hex": bytes.fromhex(rest).hex()}
        case "close":
            return {"code": int(rest)} if rest else {}
        case "wait" if 0 <= float(rest) < math.inf:
            return {"seconds": float(rest)}
        case "layer":
            return {"message": _parse_object(rest)}
        case "redis" if rest in ("gone", "back"):
            return {"state": rest}
        case "row":
            model, _, fields = rest.partition(" ")
            return {"model": model, "fields": _parse_object(fields)}
        case "worker" if rest.split():
            return {"channels": rest.split()}
        case "capacity":
            return {"messages": int(rest)}
        case "vanish" | "crash" | "kill" if not rest:
            return {}
    raise ValueError


def _parse_handshake(rest: str) -> dict[str, Any]:
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


def _parse_object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    json.dumps(value, allow_nan=False)  # raises for numbers that JSON does not have
    return value


def _write_arguments(action: str, arguments: dict[str, Any]) -> list[str]:
    """The words that follow the action."""
    match action, arguments:
        case "connect", _:
            return _write_handshake(arguments)
        case _, {"body": text}:
            return [json.dumps(text, ensure_ascii=False)]
        case (("GET" | "POST"), _):
            return arguments.get("pieces", [])
        case "wait", {"seconds": seconds}:
            return [str(int(seconds) if float(seconds).is_integer() else seconds)]
        case "layer", {"message": message}:
            return [json.dumps(message, ensure_ascii=False)]
        case "row", {"model": model, "fields": fields}:
            return [model, json.dumps(fields, ensure_ascii=False)]
        case "worker", {"channels": channels}:
            return channels
        case (("vanish" | "crash" | "kill"), _):
            return []
        case _, {"text": value} | {"hex": value} | {"code": value}:
            return [str(value)] if value != "" else []
        case _, {"state": value} | {"messages": value}:
            return [str(value)]
        case "close", _:
            return []
    raise ValueError(f"{action} lacks an argument")


def _write_handshake(arguments: dict[str, Any]) -> list[str]:
    words = [arguments["path"]] if "path" in arguments else []
    if "query" in arguments:
        words.append(f"?{arguments['query']}")
    for key in _HANDSHAKE_KEYS:
        if key in arguments:
            value = arguments[key]
            words.append(f"{key}={','.join(value) if key == 'subprotocols' else value}")
    return words
