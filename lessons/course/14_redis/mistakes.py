"""Lesson 14: the classic wrong versions of the hotline."""

import asyncio
from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer


class Line(AsyncConsumer):
    """A hotline that is right while Redis is there; what befalls it in an outage is added below."""

    channel_layer_alias = "encrypted"
    accepted = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            with suppress(Exception):  # a Redis that is gone has no group to be left
                await self.channel_layer.group_discard("hotline", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("hotline", self.channel_name)
        await self.send({"type": "websocket.accept"})
        self.accepted = True

    async def websocket_receive(self, event):
        await self.pass_on({"type": "hotline.said", "text": event.get("text") or ""})

    async def pass_on(self, message):
        try:
            await self.channel_layer.group_send("hotline", message)
        except Exception:
            await self.send({"type": "websocket.send", "text": "not sent"})
            raise

    async def hotline_said(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class ToldLine(Line):
    """The whole hotline, and right; each version that builds on it spoils one method."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            if not self.accepted:
                await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4013})
            raise


class NamesNoLayer(ToldLine):
    """Believes that the project's only encrypted layer is used for what is private."""

    diagnosis = "wrong-layer"
    channel_layer_alias = "default"


class SendsThroughTheDefault(ToldLine):
    """Believes that get_channel_layer() is the consumer's own layer."""

    diagnosis = "wrong-layer"

    async def pass_on(self, message):
        await get_channel_layer().group_send("hotline", message)


class NamesALayerThatIsNot(ToldLine):
    """Misspells the alias; Channels looks it up when a client comes, and not before."""

    diagnosis = "unknown-layer"
    channel_layer_alias = "encripted"

    async def __call__(self, scope, receive, send):
        await Line.__call__(self, scope, receive, send)


class KeepsItsOwnList(ToldLine):
    """Believes that a list in the class holds everybody; it holds those of this process."""

    diagnosis = "state-kept-in-process"
    clients = set()

    async def websocket_connect(self, event):
        await super().websocket_connect(event)
        self.clients.add(self)

    async def pass_on(self, message):
        for client in self.clients:
            await client.hotline_said(message)

    async def websocket_disconnect(self, event):
        self.clients.discard(self)
        await super().websocket_disconnect(event)


class LeavesItToTheServer(Line):
    """Believes that an outage ends in a close which a client understands; it is 1011, a bug's."""

    diagnosis = "redis-down"


class CatchesPythonsError(Line):
    """Believes that redis-py raises Python's ConnectionError; its own only bears the name."""

    diagnosis = "redis-down"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except (ConnectionError, OSError):
            await send({"type": "websocket.close", "code": 4013})


class SaysNothing(Line):
    """Believes that a caught error is a handled one: the socket stays, and no consumer is left."""

    diagnosis = "zombie"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            pass


class ClosesWith1013(Line):
    """Takes the code that the registry has for it, which Daphne lets no application send."""

    diagnosis = "forbidden-close-code"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            await send({"type": "websocket.close", "code": 1013})


class RefusesMeanwhile(Line):
    """Believes that a refusal tells its code."""

    diagnosis = "code-before-accept"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            await send({"type": "websocket.close", "code": 4013})
            raise


class LosesTheText(ToldLine):
    """Lets the error end the connection: that a text was lost, its sender has to guess."""

    diagnosis = "lost-text-not-reported"

    async def pass_on(self, message):
        await self.channel_layer.group_send("hotline", message)


class SwallowsTheError(ToldLine):
    """Believes that a text which could not be sent needs no answer."""

    diagnosis = "lost-text-not-reported"

    async def pass_on(self, message):
        try:
            await self.channel_layer.group_send("hotline", message)
        except Exception:
            pass


class Stays(ToldLine):
    """Believes that it is still a member when Redis has come back empty."""

    diagnosis = "stays-in-lost-group"

    async def pass_on(self, message):
        try:
            await self.channel_layer.group_send("hotline", message)
        except Exception:
            await self.send({"type": "websocket.send", "text": "not sent"})


class TriesUntilItSucceeds(ToldLine):
    """Believes that a handler may wait for Redis to come back."""

    diagnosis = "waits-for-redis"

    async def pass_on(self, message):
        while True:
            try:
                await self.channel_layer.group_send("hotline", message)
                return
            except Exception:
                await asyncio.sleep(1)


class RemembersTheOutage(ToldLine):
    """Notes in the class that Redis is away, and never looks again."""

    diagnosis = "stays-down"
    is_down = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            type(self).is_down = True
            raise

    async def pass_on(self, message):
        if self.is_down:
            await self.send({"type": "websocket.send", "text": "not sent"})
        else:
            await super().pass_on(message)
