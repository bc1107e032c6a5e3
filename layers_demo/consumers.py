"""The channel layer, message by message. Consumers for lessons 11 to 15."""

import re
from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer


class Pager(AsyncConsumer):
    """Lesson 11: a consumer has a channel, and any code of the project can send to it."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": self.channel_name})

    async def websocket_receive(self, event):
        text = event.get("text")
        if text:
            # This consumer sends a message through the layer to itself.
            message = {"type": "pager.message", "text": text}
            await self.channel_layer.send(self.channel_name, message)

    async def pager_message(self, event):
        # Channels calls this for each message of type pager.message, from any sender.
        await self.send({"type": "websocket.send", "text": f"page: {event['text']}"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Jukebox(AsyncConsumer):
    """Lesson 12: all clients hear one jukebox, and each client may choose the next song."""

    group = "lobby"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # This runs however the connection ends. A group never removes a channel by itself.
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        title = event.get("text")
        # A longer text could become a frame that is too large, in the consumer of each member.
        if title and len(title) <= 100:
            message = {"type": "jukebox.song", "title": title}
            await self.channel_layer.group_send(self.group, message)

    async def jukebox_song(self, event):
        # Runs once in the consumer of each member.
        await self.send({"type": "websocket.send", "text": f"now playing: {event['title']}"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Burst(AsyncConsumer):
    """Lesson 13: sends itself two messages more than its channel can hold."""

    group = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        self.number = 0
        # Each consumer has its own group. A group's name must not contain "!".
        self.group = self.channel_name.replace("!", ".")
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        # This consumer handles no message until this handler returns, so they fill the channel.
        for _ in range(getattr(self.channel_layer, "capacity", 100) + 2):
            self.number += 1
            message = {"type": "burst.part", "number": self.number}
            if event.get("text") == "group":
                await self.channel_layer.group_send(self.group, message)  # reports no loss
                continue
            try:
                await self.channel_layer.send(self.channel_name, message)
            except ChannelFull:
                await self.send_text(f"no room for {self.number}")

    async def burst_part(self, event):
        await self.send_text(f"{event['number']} arrived")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Siren(AsyncConsumer):
    """Lesson 14: one siren on all servers. During an outage of Redis, it is out of order."""

    joined = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            # Without this, the client only sees code 1011, as for any bug.
            if self.joined:
                await send({"type": "websocket.send", "text": "out of order"})
                await send({"type": "websocket.close", "code": 4013})  # come back later
            raise  # so that the server logs it, and rejects a client that has not joined
        finally:
            with suppress(Exception):  # Redis may be unreachable
                await self.channel_layer.group_discard("siren", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("siren", self.channel_name)
        await self.send({"type": "websocket.accept"})
        self.joined = True

    async def websocket_receive(self, event):
        reason = event.get("text") or "test"
        message = {"type": "siren.alarm", "reason": reason[:100]}  # a short frame for every client
        await self.channel_layer.group_send("siren", message)

    async def siren_alarm(self, event):
        await self.send({"type": "websocket.send", "text": f"alarm: {event['reason']}"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Primes(AsyncConsumer):
    """Lesson 15: sends numbers to a worker. All clients receive what the worker finds."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("factors", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("factors", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        if not re.fullmatch(r"[1-9][0-9]{0,11}", text):
            # No job for invalid input: an exception in the worker would lose other jobs too.
            await self.send_text("Send a number from 1 to 999999999999.")
            return
        try:
            await self.channel_layer.send("primes", {"type": "primes.factor", "number": int(text)})
        except ChannelFull:  # no worker has taken a job for some time
            await self.send_text("No worker takes jobs. Try again later.")

    async def primes_found(self, event):
        factors = " * ".join(map(str, event["factors"]))
        await self.send_text(f"{event['number']} = {factors}")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class PrimesWorker(AsyncConsumer):
    """Lesson 15: the consumer of `manage.py runworker primes`. It does one job at a time."""

    async def primes_factor(self, event):
        number = event["number"]
        # A worker has no client, so it sends a message. The group's consumers send the frames.
        message = {"type": "primes.found", "number": number, "factors": prime_factors(number)}
        await self.channel_layer.group_send("factors", message)


def prime_factors(number):
    """Return the prime factors of a number. This is slow, so a worker does it."""
    divisor, factors = 2, []
    while divisor * divisor <= number:
        if number % divisor:
            divisor += 1
        else:
            number //= divisor
            factors.append(divisor)
    return [*factors, number]
