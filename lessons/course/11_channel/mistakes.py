"""Lesson 11: the classic wrong versions of the letterbox."""

import json

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer


class RightLetterbox(SyncConsumer):
    """The whole letterbox, and right; each version that builds on it spoils one method."""

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
    """The same, awaited."""

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
    """Takes the layer's send for a plain method; it is async def, and makes a coroutine."""

    diagnosis = "layer-not-called"

    def deliver(self, letter):
        message = {"type": "letter.arrived", "text": letter["text"]}
        self.channel_layer.send(letter["to"], message)


class WrapsTheCall(RightLetterbox):
    """Gives async_to_sync what the call returns, in place of the function to call."""

    diagnosis = "layer-not-called"

    def deliver(self, letter):
        message = {"type": "letter.arrived", "text": letter["text"]}
        async_to_sync(self.channel_layer.send(letter["to"], message))


class AwaitsInASyncConsumer(RightLetterbox):
    """Makes the handler async def, so that it may await; a SyncConsumer then runs nothing of it."""

    diagnosis = "async-handler-in-sync-consumer"

    async def websocket_receive(self, event):
        letter = json.loads(event["text"])
        message = {"type": "letter.arrived", "text": letter["text"]}
        await self.channel_layer.send(letter["to"], message)


class WrapsInTheLoop(RightAsyncLetterbox):
    """Uses async_to_sync where a loop is running already."""

    diagnosis = "async-to-sync-in-loop"

    async def deliver(self, channel, message):
        async_to_sync(self.channel_layer.send)(channel, message)


class ForgetsTheAwait(RightAsyncLetterbox):
    """Makes the coroutine, and awaits it nowhere."""

    diagnosis = "never-awaited"

    async def deliver(self, channel, message):
        self.channel_layer.send(channel, message)


class LetsTheWriterChoose(RightLetterbox):
    """Puts all that the client sent into the message, and the type may be among it."""

    diagnosis = "client-chosen-type"

    def deliver(self, letter):
        async_to_sync(self.channel_layer.send)(letter["to"], {"type": "letter.arrived", **letter})


class GivesNoType(RightLetterbox):
    """Believes that a message is data; its type is what calls the handler."""

    diagnosis = "message-without-type"

    def deliver(self, letter):
        async_to_sync(self.channel_layer.send)(letter["to"], {"text": letter["text"]})


class SendsTheText(RightLetterbox):
    """Believes that the layer carries texts, as a WebSocket does."""

    diagnosis = "message-not-a-dict"

    def websocket_receive(self, event):
        letter = json.loads(event["text"])
        async_to_sync(self.channel_layer.send)(letter["to"], letter["text"])


class SendsAFrame(RightLetterbox):
    """Believes that websocket.send, sent through the layer, reaches the client by itself."""

    diagnosis = "no-layer-handler"

    def deliver(self, letter):
        message = {"type": "websocket.send", "text": letter["text"]}
        async_to_sync(self.channel_layer.send)(letter["to"], message)


class SpellsItAnotherWay(RightLetterbox):
    """Spells the type in one way, and the handler in another."""

    diagnosis = "no-layer-handler"

    def deliver(self, letter):
        message = {"type": "letter.arrives", "text": letter["text"]}
        async_to_sync(self.channel_layer.send)(letter["to"], message)


class HidesItsHandler(RightLetterbox):
    """Puts an underscore in front, as one does with a method that is nobody else's."""

    diagnosis = "leading-underscore"

    def deliver(self, letter):
        message = {"type": "_letter.arrived", "text": letter["text"]}
        async_to_sync(self.channel_layer.send)(letter["to"], message)

    def _letter_arrived(self, event):
        self.letter_arrived(event)


class SendsToItsOwnClient(RightLetterbox):
    """Takes self.send for the way to the reader; it leads to the client of this connection."""

    diagnosis = "wrong-connection"

    def deliver(self, letter):
        self.send({"type": "websocket.send", "text": letter["text"]})


class TrustsTheAddress(RightLetterbox):
    """Uses what a client gave as a channel's name, and lets what the layer raises pass."""

    diagnosis = "wrong-channel-name"

    def websocket_receive(self, event):
        self.deliver(json.loads(event["text"]))


class TellsAnotherAddress(RightLetterbox):
    """Makes a channel of its own, which nobody listens on."""

    diagnosis = "wrong-address"

    def websocket_connect(self, event):
        channel = async_to_sync(self.channel_layer.new_channel)()
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": channel})
