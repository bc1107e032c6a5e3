"""Lesson 14: the classic wrong versions of the house."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.http import QueryDict

clients = []  # of this process, for KeepsItsOwnList


class RightHouse(AsyncConsumer):
    """The complete and right house. Each version below breaks one method."""

    channel_layer_alias = "encrypted"

    async def __call__(self, scope, receive, send):
        self.name = QueryDict(scope["query_string"])["name"]
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.leave()

    async def leave(self):
        await self.channel_layer.group_discard("house", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("house", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        if event.get("text") == "who?":
            await self.ask()

    async def ask(self):
        question = {"type": "house.question", "reply_to": self.channel_name}
        await self.channel_layer.group_send("house", question)

    async def house_question(self, event):
        answer = {"type": "house.answer", "name": self.name}
        await self.channel_layer.send(event["reply_to"], answer)

    async def house_answer(self, event):
        await self.send({"type": "websocket.send", "text": event["name"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class KeepsItsOwnList(RightHouse):
    """Believes that a list in the module holds all clients. It holds those of this process."""

    diagnosis = "state-kept-in-process"

    async def websocket_connect(self, event):
        await super().websocket_connect(event)
        clients.append(self)

    async def ask(self):
        for client in list(clients):
            await self.house_answer({"name": client.name})

    async def leave(self):
        await super().leave()
        if self in clients:
            clients.remove(self)


class NamesNoLayer(RightHouse):
    """Does not name the encrypted layer, so the consumer uses the default."""

    diagnosis = "wrong-layer"
    channel_layer_alias = "default"


class AnswersThroughTheDefault(RightHouse):
    """Believes that get_channel_layer() is the consumer's own layer."""

    diagnosis = "wrong-layer"

    async def house_question(self, event):
        answer = {"type": "house.answer", "name": self.name}
        await get_channel_layer().send(event["reply_to"], answer)


class NamesALayerThatIsNot(RightHouse):
    """Misspells the alias. Channels looks it up only when a client connects."""

    diagnosis = "unknown-layer"
    channel_layer_alias = "encripted"


class AnswersTheGroup(RightHouse):
    """Sends each answer to the group, so all clients receive all names."""

    diagnosis = "answered-everyone"

    async def house_question(self, event):
        answer = {"type": "house.answer", "name": self.name}
        await self.channel_layer.group_send("house", answer)


class AnswersItsOwnClient(RightHouse):
    """Believes that self.send reaches the client that has asked. It reaches its own client."""

    diagnosis = "answered-everyone"

    async def house_question(self, event):
        await self.house_answer({"name": self.name})


class SendsTheConsumer(RightHouse):
    """Puts itself into the message. Redis carries data, not objects of one process."""

    diagnosis = "not-serializable"

    async def ask(self):
        await self.channel_layer.group_send("house", {"type": "house.question", "asker": self})

    async def house_question(self, event):
        await event["asker"].house_answer({"name": self.name})


class ForgetsItself(RightHouse):
    """Does not answer its own question."""

    diagnosis = "sender-left-out"

    async def house_question(self, event):
        if event["reply_to"] != self.channel_name:
            await super().house_question(event)


class JoinsAtItsFirstFrame(RightHouse):
    """Joins when it is needed first, to ask. A client that never asks is never named."""

    diagnosis = "not-in-the-group"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.channel_layer.group_add("house", self.channel_name)
        await super().websocket_receive(event)


class LeavesOnDisconnect(RightHouse):
    """Believes that each connection ends with websocket_disconnect."""

    diagnosis = "group-leak-after-a-crash"

    async def leave(self):
        pass

    async def websocket_disconnect(self, event):
        await super().leave()
        raise StopConsumer()


class NeverLeaves(RightHouse):
    """Believes that the layer forgets a client that has left."""

    diagnosis = "group-leak"

    async def leave(self):
        pass


class AcceptsBeforeItJoins(RightHouse):
    """Accepts first. A question in between does not reach this client."""

    diagnosis = "joined-too-late"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.channel_layer.group_add("house", self.channel_name)


class ForgetsToAwait(RightHouse):
    """Creates the coroutine of group_add, but does not await it."""

    diagnosis = "never-awaited"

    async def websocket_connect(self, event):
        self.channel_layer.group_add("house", self.channel_name)
        await self.send({"type": "websocket.accept"})


class NamesTheHandlerAnotherWay(RightHouse):
    """Sends a type for which no consumer has a method. Each member's connection closes."""

    diagnosis = "no-layer-handler"

    async def ask(self):
        question = {"type": "house.who", "reply_to": self.channel_name}
        await self.channel_layer.group_send("house", question)
