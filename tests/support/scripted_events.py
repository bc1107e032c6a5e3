"""Applications that play a list of replies, on a real Daphne and in the simulated world."""

import asyncio
from collections import UserString
from enum import IntEnum

from django.utils.functional import lazystr

ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close"}
ASK = "ask"  # in place of a reply: await the next event


def send(**payload):
    return {"type": "websocket.send", **payload}


class Code(IntEnum):
    OVER = 4000


class EqualsEverything(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


# Replies that a literal in a URL cannot hold, each with the word that stands for it.
NAMED = {
    "1 MiB of text": send(text="é" * 2**19),
    "more text": send(text="é" * 2**19 + "a"),
    "1 MiB of bytes": send(bytes=b"x" * 2**20),
    "more bytes": send(bytes=b"x" * 2**20 + b"x"),
    "a text of a subclass": send(text=EqualsEverything("hi")),
    "a text that is no str": send(text=UserString("hi")),
    "a lazy text": send(text=lazystr("hi")),
    "a code of an enum": {**CLOSE, "code": Code.OVER},
}


async def play_websocket(replies, receive, send, see):
    """After websocket.connect send the replies, then wait for the disconnect. `see` each event.

    A number among the replies is a pause in seconds.
    """

    async def next_event():
        see(event := await receive())
        return event["type"]

    kind = await next_event()
    for reply in replies:
        if isinstance(reply, float):
            await asyncio.sleep(reply)
        elif reply == ASK and kind != "websocket.disconnect":
            kind = await next_event()
        elif reply != ASK:
            await send(NAMED.get(reply, reply) if isinstance(reply, str) else reply)
    while kind != "websocket.disconnect":
        kind = await next_event()


async def play_http(replies, receive, send):
    """After the whole body send the replies, then wait for the next event.

    Four replies are commands: "raise" raises an error, "return" ends the application, ASK awaits
    the next event, and "hold" waits for an hour.
    """
    while (await receive())["more_body"]:
        pass
    for reply in replies:
        if reply == "raise":
            raise ValueError("a bug")
        if reply == "return":
            return
        if reply == "hold":
            await asyncio.sleep(3600)
        await (receive() if reply == ASK else send(reply))
    await receive()
