"""Lesson 14: the classic wrong versions of the hotline."""

import asyncio
from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer


class Line(AsyncConsumer):
    """A hotline that is right while Redis works. Each version below handles an outage itself."""

    channel_layer_alias = "encrypted"
    accepted = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            with suppress(Exception):  # Redis may be unreachable
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


class ClosingLine(Line):
    """The right hotline. Each version that inherits from it breaks one method."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            if not self.accepted:
                await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4013})
            raise


class NamesNoLayer(ClosingLine):
    """Does not name the encrypted layer, so the consumer uses the default."""

    diagnosis = "wrong-layer"
    channel_layer_alias = "default"


class SendsThroughTheDefault(ClosingLine):
    """Believes that get_channel_layer() is the consumer's own layer."""

    diagnosis = "wrong-layer"

    async def pass_on(self, message):
        await get_channel_layer().group_send("hotline", message)


class NamesALayerThatIsNot(ClosingLine):
    """Misspells the alias; Channels looks it up only when a client connects."""

    diagnosis = "unknown-layer"
    channel_layer_alias = "encripted"

    async def __call__(self, scope, receive, send):
        await Line.__call__(self, scope, receive, send)


class KeepsItsOwnList(ClosingLine):
    """Believes that a set in the class holds all clients; it holds those of this process."""

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
    """Lets the server close the client; the code is then 1011, as for a bug."""

    diagnosis = "redis-down"


class CatchesPythonsError(Line):
    """Believes that redis-py raises Python's ConnectionError; its own has only the same name."""

    diagnosis = "redis-down"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except (ConnectionError, OSError):
            await send({"type": "websocket.close", "code": 4013})


class SaysNothing(Line):
    """Catches the error and returns: the socket stays open without a consumer."""

    diagnosis = "zombie"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            pass


class ClosesWith1013(Line):
    """Takes the registered code for this case, which Daphne does not let an application send."""

    diagnosis = "forbidden-close-code"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            await send({"type": "websocket.close", "code": 1013})


class RejectsDuringAnOutage(Line):
    """Believes that a rejected handshake carries the close code."""

    diagnosis = "code-before-accept"

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            await send({"type": "websocket.close", "code": 4013})
            raise


class LosesTheText(ClosingLine):
    """Closes the connection, but does not report the lost text to its sender."""

    diagnosis = "lost-text-not-reported"

    async def pass_on(self, message):
        await self.channel_layer.group_send("hotline", message)


class SwallowsTheError(ClosingLine):
    """Believes that a text that could not be sent needs no answer."""

    diagnosis = "lost-text-not-reported"

    async def pass_on(self, message):
        try:
            await self.channel_layer.group_send("hotline", message)
        except Exception:
            pass


class Stays(ClosingLine):
    """Believes that the client is still a member after Redis has come back empty."""

    diagnosis = "stays-in-lost-group"

    async def pass_on(self, message):
        try:
            await self.channel_layer.group_send("hotline", message)
        except Exception:
            await self.send({"type": "websocket.send", "text": "not sent"})


class TriesUntilItSucceeds(ClosingLine):
    """Believes that a handler may wait for Redis to come back."""

    diagnosis = "waits-for-redis"

    async def pass_on(self, message):
        while True:
            try:
                await self.channel_layer.group_send("hotline", message)
                return
            except Exception:
                await asyncio.sleep(1)


class RemembersTheOutage(ClosingLine):
    """Stores in the class that Redis is unreachable, and never tries again."""

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
