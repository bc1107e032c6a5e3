"""The channel layer, message by message: one worked consumer for each of lessons 11 to 15."""

import re
from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer


class Pager(AsyncConsumer):
    """Lesson 11: a consumer has an address, and all code of the project can send to it."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": self.channel_name})

    async def websocket_receive(self, event):
        text = event.get("text")
        if text:
            # The long way round to the same client: a message of the layer, to this very consumer.
            message = {"type": "pager.message", "text": text}
            await self.channel_layer.send(self.channel_name, message)

    async def pager_message(self, event):
        # Called for each message of type pager.message, whoever sent it.
        await self.send({"type": "websocket.send", "text": f"page: {event['text']}"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Room(AsyncConsumer):
    """Lesson 12: what one says in a room, all in it hear; the URL says which room."""

    group = None  # until the client is in

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Reached whatever ends the connection: the group forgets nobody by itself.
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        if not re.fullmatch(r"[a-zA-Z0-9_.-]{1,80}", name):
            # Whoever is refused sees 1006 and no more; so let it in, and close with a code.
            await self.send({"type": "websocket.accept"})
            await self.send({"type": "websocket.close", "code": 4004})
            return
        # Groups of all kinds share one space of names, hence the prefix.
        self.group = f"room-{name}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text = event.get("text")
        if text and self.group is not None:
            message = {"type": "room.message", "text": text}
            await self.channel_layer.group_send(self.group, message)

    async def room_message(self, event):
        # Runs once for each member, in the member's own consumer.
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Burst(AsyncConsumer):
    """Lesson 13: sends itself more numbered messages than there is room for; the numbers tell."""

    group = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        self.number = self.last = 0
        # A group of its own, named after its channel; a group's name may hold no "!".
        self.group = self.channel_name.replace("!", ".")
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        # Nothing is handled before this handler has returned: the messages have to wait.
        for _ in range(getattr(self.channel_layer, "capacity", 100) + 2):
            self.number += 1
            message = {"type": "burst.part", "number": self.number}
            if event.get("text") == "group":
                await self.channel_layer.group_send(self.group, message)
            else:
                await self.send_or_tell(message)

    async def send_or_tell(self, message):
        try:
            await self.channel_layer.send(self.channel_name, message)
        except ChannelFull:
            await self.tell(f"no room for {message['number']}")

    async def burst_part(self, event):
        missed = event["number"] - self.last - 1
        self.last = event["number"]
        await self.tell(
            f"{missed} missed, {self.last} arrived" if missed else f"{self.last} arrived"
        )

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class SharedRoom(AsyncConsumer):
    """Lesson 14: one room on every server; a client is told when the layer is out of reach."""

    accepted = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            # Left to itself, the server says 1011, as for any bug, or 500 before the accept.
            if not self.accepted:
                await send({"type": "websocket.accept"})  # a refusal has no code
            await send({"type": "websocket.close", "code": 4013})
            raise  # for the log
        finally:
            with suppress(Exception):  # a Redis that is gone has no group to be left
                await self.channel_layer.group_discard("lobby", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("lobby", self.channel_name)
        await self.send({"type": "websocket.accept"})
        self.accepted = True

    async def websocket_receive(self, event):
        message = {"type": "lobby.said", "text": event.get("text") or ""}
        await self.channel_layer.group_send("lobby", message)

    async def lobby_said(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Primes(AsyncConsumer):
    """Lesson 15: hands each number to a worker, and waits for no answer; one may come."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        job = {
            "type": "primes.factor",
            "text": event.get("text") or "",
            "answer_to": self.channel_name,  # the way back: to this connection, and no other
        }
        try:
            await self.channel_layer.send("primes", job)
        except ChannelFull:  # nobody has taken a job for a while
            await self.say("no worker: try again later")
        else:
            await self.say("handed in")

    async def primes_found(self, event):
        await self.say(event["text"])

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class PrimesWorker(AsyncConsumer):
    """Lesson 15: does the jobs of `manage.py runworker primes`, one after the other."""

    async def primes_factor(self, event):
        text = event["text"]
        try:
            answer = f"{text} = {' * '.join(map(str, factors_of(text)))}"
        except ValueError:
            # Left alone, it would end this consumer, and lose the jobs behind this one.
            answer = f"{text}: not a number from 2 to 999999999999"
        message = {"type": "primes.found", "text": answer}
        await self.channel_layer.send(event["answer_to"], message)


def factors_of(text):
    """The prime factors of the number in `text`; work enough for a process of its own."""
    number, divisor, found = int(text), 2, []
    if not 2 <= number < 10**12:
        raise ValueError(text)
    while divisor * divisor <= number:
        if number % divisor:
            divisor += 1
        else:
            number //= divisor
            found.append(divisor)
    return [*found, number]
