"""The shelf of lesson 9, with a type for each request. The library msgspec checks them."""

import json
from typing import Annotated

import msgspec
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Request(msgspec.Struct, tag_field="command", forbid_unknown_fields=True):
    """Each subclass is a command: `{"command": "put", "title": "Emma"}`."""


class Put(Request, tag="put"):
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class ListTitles(Request, tag="list"):
    pass


requests = msgspec.json.Decoder(Put | ListTitles)


class TypedShelf(AsyncConsumer):
    async def websocket_connect(self, event):
        self.titles = []
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            # A binary frame has no text. Then "" is decoded, which is not JSON.
            request = requests.decode(event.get("text") or "")
        except ValueError as error:
            answer = {"error": str(error)}
        else:
            answer = self.answer(request)
        await self.send({"type": "websocket.send", "text": json.dumps(answer)})

    def answer(self, request):
        match request:
            case Put():
                if len(self.titles) == 100:  # so a client cannot fill the memory
                    return {"error": "The shelf is full."}
                self.titles.append(request.title)
                return {"count": len(self.titles)}
            case ListTitles():
                return {"titles": self.titles}

    async def websocket_disconnect(self, event):
        raise StopConsumer()
