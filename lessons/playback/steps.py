"""The steps of a conversation, and the clients that take them."""

import asyncio
import json
from urllib.parse import parse_qs, urlencode

from lessons.core.catalogue import Lesson
from lessons.playback.conversation_setup import send_from_elsewhere, ticket_of
from lessons.simulator.channel_layer import packing_layer
from lessons.simulator.communicator import Strict, StrictCommunicator, StrictHttpCommunicator

METHODS = ("GET", "POST")


class UnknownStep(ValueError):
    """A step that `play` does not know."""


def numbered(step: str) -> tuple[int, str]:
    """The number of the client that a step is for, and the step."""
    number, _, rest = step.partition(" ")
    return (int(number), rest) if number.isdecimal() else (1, step)


async def client_for(step: str, application, lesson: Lesson, database, log_in) -> Strict:
    """A client that is about to do the first of its steps; `log_in` gives a name's headers."""
    name, _, rest = step.partition(" ")
    if name in METHODS:
        body = [piece.encode() for piece in rest.split()] or b""
        if rest.startswith('"'):  # as a string of JSON: in one piece, whatever is in it
            body = json.loads(rest).encode()
        return StrictHttpCommunicator(application, name, lesson.path, body)
    words = handshake(step)
    headers = await log_in(words["as"]) if "as" in words else []
    if "origin" in words:
        headers = [*headers, (b"origin", words["origin"].encode())]
    subprotocols = words["subprotocols"].split(",") if "subprotocols" in words else []
    if "ticket" in words:
        words["query"] = f"ticket={await ticket_of(words['ticket'], lesson, database)}"
    path = words.get("path", lesson.path)
    path = f"{path}?{words['query']}" if "query" in words else path
    return StrictCommunicator(application, path, headers, subprotocols)


def handshake(step: str) -> dict[str, str]:
    """What follows `connect`, by name."""
    name, *words = step.split()
    if name != "connect":
        raise UnknownStep(f"a conversation begins with connect, not with {step!r}")
    told = {}
    for word in words:
        key, _, value = word.partition("=")
        if word.startswith("/"):
            told["path"] = word
        elif word.startswith("?"):
            told["query"] = urlencode(parse_qs(word[1:], keep_blank_values=True), doseq=True)
        elif key in ("subprotocols", "as", "ticket", "origin"):
            told[key] = value
        else:
            raise UnknownStep(f"connect does not know {word!r}")
    return told


async def take(client: Strict, step: str) -> None:
    """Let `client` do that step. Raises CheckFailed where the consumer breaks a rule."""
    name, _, rest = step.partition(" ")
    if name == "connect":
        await client.connect()
    elif name in METHODS:
        await client.send_request()
    elif name == "close" and isinstance(client, StrictHttpCommunicator):
        await client.disconnect()
    elif name == "text":
        await client.send_to(text_data=rest)
    elif name == "bytes":
        await client.send_to(bytes_data=bytes.fromhex(rest))
    elif name == "close":
        await client.disconnect(int(rest) if rest else None)
    elif name == "wait":
        await asyncio.sleep(float(rest) + 0.01)  # what is due at the end has come
        await asyncio.get_running_loop().settled()
    elif name == "layer":
        await send_from_elsewhere(client, json.loads(rest))
    elif step == "redis gone":
        await packing_layer().redis.go_away()
    elif step == "redis back":
        packing_layer().redis.come_back()
    elif name == "vanish":
        await client.disconnect(1006)
    elif name in ("crash", "kill"):
        await getattr(client, name)()
    else:
        known = "connect, text, bytes, close, vanish, wait, layer, redis, crash or kill"
        raise UnknownStep(f"{step!r}: write {known}")
