"""Lesson 11: the classic wrong versions of the letterbox."""

import json

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer


class RightLetterbox(SyncConsumer):
    """The right letterbox. Each class that inherits from it breaks one method."""

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": self.channel_name})

    def websocket_receive(self, event):
        letter = json.loads(event["text"])
        try:
            self.deliver(letter)
        except TypeError:
            self.send({"type": "websocket.send", "text": "no such address"})

    def deliver(self, letter):
        message = {"type": "letter.arrived", "text": letter["text"]}
        async_to_sync(self.channel_layer.send)(letter["to"], message)

    def letter_arrived(self, event):
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class RightAsyncLetterbox(AsyncConsumer):
    """The right letterbox as an AsyncConsumer."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.send", "text": self.channel_name})

    async def websocket_receive(self, event):
        letter = json.loads(event["text"])
        message = {"type": "letter.arrived", "text": letter["text"]}
        await self.deliver(letter["to"], message)

    async def letter_arrived(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class CallsItLikeAFunction(RightLetterbox):
    """Calls the layer's send like a plain method. It is async def and returns a coroutine."""

    diagnosis = "layer-not-called"

    def deliver(self, letter):
        message = {"type": "letter.arrived", "text": letter["text"]}
        self.channel_layer.send(letter["to"], message)


class WrapsTheCall(RightLetterbox):
    """Gives async_to_sync a coroutine instead of the function."""

    diagnosis = "layer-not-called"

    def deliver(self, letter):
        message = {"type": "letter.arrived", "text": letter["text"]}
        async_to_sync(self.channel_layer.send(letter["to"], message))


class AwaitsInASyncConsumer(RightLetterbox):
    """Makes the handler async def to await in it. A SyncConsumer then runs none of it."""

    diagnosis = "async-handler-in-sync-consumer"

    async def websocket_receive(self, event):
        letter = json.loads(event["text"])
        message = {"type": "letter.arrived", "text": letter["text"]}
        await self.channel_layer.send(letter["to"], message)


class WrapsInTheLoop(RightAsyncLetterbox):
    """Uses async_to_sync while a loop runs."""

    diagnosis = "async-to-sync-in-loop"

    async def deliver(self, channel, message):
        async_to_sync(self.channel_layer.send)(channel, message)


class ForgetsTheAwait(RightAsyncLetterbox):
    """Creates the coroutine, but does not await it."""

    diagnosis = "never-awaited"

    async def deliver(self, channel, message):
        self.channel_layer.send(channel, message)


class LetsTheWriterChoose(RightLetterbox):
    """Puts all keys of the client into the message, even a type."""

    diagnosis = "client-chosen-type"

    def deliver(self, letter):
        async_to_sync(self.channel_layer.send)(letter["to"], {"type": "letter.arrived", **letter})


class GivesNoType(RightLetterbox):
    """Assumes that a message needs no type. The type calls the handler."""

    diagnosis = "message-without-type"

    def deliver(self, letter):
        async_to_sync(self.channel_layer.send)(letter["to"], {"text": letter["text"]})


class SendsTheText(RightLetterbox):
    """Assumes that the layer carries texts, as a WebSocket does."""

    diagnosis = "message-not-a-dict"

    def websocket_receive(self, event):
        letter = json.loads(event["text"])
        async_to_sync(self.channel_layer.send)(letter["to"], letter["text"])


class SendsAFrame(RightLetterbox):
    """Assumes that a websocket.send through the layer reaches the client."""

    diagnosis = "no-layer-handler"

    def deliver(self, letter):
        message = {"type": "websocket.send", "text": letter["text"]}
        async_to_sync(self.channel_layer.send)(letter["to"], message)


class SpellsItAnotherWay(RightLetterbox):
    """Spells the type and the handler differently."""

    diagnosis = "no-layer-handler"

    def deliver(self, letter):
        message = {"type": "letter.arrives", "text": letter["text"]}
        async_to_sync(self.channel_layer.send)(letter["to"], message)


class HidesItsHandler(RightLetterbox):
    """Begins the type with an underscore, as the name of a private method."""

    diagnosis = "leading-underscore"

    def deliver(self, letter):
        message = {"type": "_letter.arrived", "text": letter["text"]}
        async_to_sync(self.channel_layer.send)(letter["to"], message)

    def _letter_arrived(self, event):
        self.letter_arrived(event)


class SendsToItsOwnClient(RightLetterbox):
    """Assumes that self.send reaches the reader. It reaches the client of this connection."""

    diagnosis = "wrong-connection"

    def deliver(self, letter):
        self.send({"type": "websocket.send", "text": letter["text"]})


class TrustsTheAddress(RightLetterbox):
    """Uses the client's address as a channel name, and does not catch the TypeError."""

    diagnosis = "wrong-channel-name"

    def websocket_receive(self, event):
        self.deliver(json.loads(event["text"]))


class TellsAnotherAddress(RightLetterbox):
    """Makes another channel, which no consumer reads."""

    diagnosis = "wrong-address"

    def websocket_connect(self, event):
        channel = async_to_sync(self.channel_layer.new_channel)()
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": channel})
