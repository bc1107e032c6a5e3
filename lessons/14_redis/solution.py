"""Lesson 14, solved: who is in the house, on all servers?"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict


class House(AsyncConsumer):
    channel_layer_alias = "encrypted"

    async def __call__(self, scope, receive, send):
        self.name = QueryDict(scope["query_string"])["name"]
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("house", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("house", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        if event.get("text") == "who?":
            question = {"type": "house.question", "reply_to": self.channel_name}
            await self.channel_layer.group_send("house", question)

    async def house_question(self, event):
        # No process knows all names. So each consumer answers for its own client.
        answer = {"type": "house.answer", "name": self.name}
        await self.channel_layer.send(event["reply_to"], answer)

    async def house_answer(self, event):
        await self.send({"type": "websocket.send", "text": event["name"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
