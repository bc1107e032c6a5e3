"""Lesson 14: who is in the house, on all servers?

A client connects with its name, never empty: `?name=ada`. If it sends the text frame `who?`, it
receives one text frame for each connected client: the name of that client. Its own name comes, too.
The names may come in any order. Any other frame has no effect.

At present, a client receives only the names of the clients of its own server. It must receive those
of all servers.

- From its accept on, each client is named, until its connection ends, however it ends.
- Only the client that has asked receives the names.
- The names are private, so they go through the layer `encrypted`, and through no other layer.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict

names = []  # of the clients of this process


# The checks look for this name and this base class: keep both.
class House(AsyncConsumer):
    async def __call__(self, scope, receive, send):
        self.name = QueryDict(scope["query_string"])["name"]
        names.append(self.name)
        try:
            await super().__call__(scope, receive, send)
        finally:
            names.remove(self.name)

    # TODO 1: join a group of the layer `encrypted`, and leave it.
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    # TODO 2: ask the consumers of all servers. Each one answers for its own client.
    async def websocket_receive(self, event):
        if event.get("text") == "who?":
            for name in list(names):
                await self.send({"type": "websocket.send", "text": name})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
