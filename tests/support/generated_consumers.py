"""Consumers that are made from a number: what they do is data, the same in every process.

The path /7/ leads to consumer 7. A client has its name in its query string. What its application
receives, and how it ends, is printed, a line each, with the name in front. `NAME ready` says that
a handler has ended.
"""

import asyncio
import random
import time
from functools import partial

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer

TEXTS = ("hi", "", "7", "é ☃ 🙂", "x" * 30, '{"a": 1}')
DATA = (b"\x00\xff", b"", b"abc")
CODES = (1000, 3000, 4000, 4999)


def plan_of(number):
    """What consumer `number` does: its kind, and lists of actions for its events."""
    chance = random.Random(number)
    return {
        "is_async": chance.random() < 0.6,
        "connect": _handshake(chance),
        "frames": [_answer(chance) for _ in range(3)],  # one after another, and again
        "disconnect": [*_some(chance, 0.3, ("sleep", 0.001)), *_some(chance, 0.15, ("raise",))],
    }


def _some(chance, share, *actions):
    return actions if chance.random() < share else ()


def _send(chance):
    text, data = chance.choice(TEXTS), chance.choice(DATA)
    payloads = {"text": text}, {"bytes": data}, {"text": text, "bytes": None}
    return "send", {"type": "websocket.send", **chance.choice(payloads)}


def _close(chance):
    code = {"code": chance.choice(CODES)} if chance.random() < 0.8 else {}
    reason = {"reason": "enough"} if chance.random() < 0.3 else {}
    return "send", {"type": "websocket.close", **code, **reason}


def _handshake(chance):
    subprotocol = {"subprotocol": "chat"} if chance.random() < 0.3 else {}
    accept = "send", {"type": "websocket.accept", **subprotocol}
    kind = chance.random()
    if kind < 0.07:
        return [("send", {"type": "websocket.close"})]
    if kind < 0.12:
        return [("raise",)]
    sent = [_send(chance) for _ in range(chance.randrange(3))]
    before = _some(chance, 0.5, ("group_add",)), _some(chance, 0.2, ("sleep", 0.001))
    return [*before[0], *before[1], accept, *sent, *_some(chance, 0.07, _close(chance))]


def _answer(chance):
    kinds = (
        *[lambda: [_send(chance) for _ in range(chance.randint(1, 3))]] * 3,
        *[lambda: [("echo",)]] * 3,
        *[lambda: [("group_send",), *_some(chance, 0.5, ("echo",))]] * 2,
        *(lambda: [("group_add",), ("echo",)], lambda: [("group_discard",)], list),
        lambda: [("sleep", 0.002), ("echo",)],
        lambda: [*_some(chance, 0.5, ("echo",)), _close(chance)],
        lambda: [*_some(chance, 0.5, ("echo",)), ("raise",)],
    )
    return chance.choice(kinds)()


class Plays:
    """What both kinds of consumers share."""

    frames = 0

    def actions(self, event):
        """The actions that follow from an event from the client, or a message from the group."""
        plan = self.plan
        match event["type"]:
            case "websocket.connect":
                return plan["connect"]
            case "websocket.receive":
                self.frames += 1
                return plan["frames"][(self.frames - 1) % len(plan["frames"])]
            case "websocket.disconnect":
                return [("group_discard",), *plan["disconnect"], ("stop",)]
        return [("send", {"type": "websocket.send", "text": f"news: {event['text']}"})]

    def say(self, word):
        print(name_of(self.scope), word, flush=True)

    def call(self, event, name, *arguments):
        """The function to call, and its arguments."""
        layer, group = self.channel_layer, f"group-{self.plan_number}"
        match name:
            case "send":
                return self.send, *arguments
            case "echo":
                kept = {key: event[key] for key in ("text", "bytes") if event.get(key) is not None}
                return self.send, {"type": "websocket.send", **kept}
            case "group_send":
                news = {"type": "plays.news", "text": event.get("text") or "bytes"}
                return layer.group_send, group, news
            case "group_add" | "group_discard":
                return getattr(layer, name), group, self.channel_name
            case "sleep":
                return self.sleep, *arguments
        raise {"raise": ValueError("as planned"), "stop": StopConsumer()}[name]


class PlaysAsync(Plays, AsyncConsumer):
    sleep = staticmethod(asyncio.sleep)

    async def handle(self, event):
        try:
            for action in self.actions(event):
                function, *arguments = self.call(event, *action)
                await function(*arguments)
        finally:
            self.say("ready")

    websocket_connect = websocket_receive = websocket_disconnect = plays_news = handle


class PlaysSync(Plays, SyncConsumer):
    sleep = staticmethod(time.sleep)

    def handle(self, event):
        try:
            for action in self.actions(event):
                function, *arguments = self.call(event, *action)
                is_of_layer = action[0].startswith("group")
                (async_to_sync(function) if is_of_layer else function)(*arguments)
        finally:
            self.say("ready")

    websocket_connect = websocket_receive = websocket_disconnect = plays_news = handle


def name_of(scope):
    return scope["query_string"].decode().removeprefix("name=")


def consumer_of(number):
    plan = plan_of(number)
    base = PlaysAsync if plan["is_async"] else PlaysSync
    return type(base.__name__, (base,), {"plan": plan, "plan_number": number})


async def application(scope, receive, send):
    say = partial(print, name_of(scope), flush=True)

    async def receive_and_say():
        event = await receive()
        say("event", event)
        return event

    consumer = consumer_of(int(scope["path"].strip("/")))
    try:
        await consumer.as_asgi()(scope, receive_and_say, send)
    except Exception as error:
        say("over", repr(error))
        raise
    say("over")
