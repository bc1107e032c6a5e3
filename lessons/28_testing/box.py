"""The suggestion box that does everything that the task of lesson 28 says."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter

from db_demo.models import Entry


class Box(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.channel_layer.group_add("box", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        if not 1 <= len(text) <= 100:
            await self.send_json({"error": "invalid"})
            return
        entry = await Entry.objects.acreate(text=text)
        message = {"type": "box.added", "id": entry.id, "text": entry.text}
        await self.channel_layer.group_send("box", message)

    async def box_added(self, event):
        await self.send_json({"id": event["id"], "text": event["text"]})

    async def send_json(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("box", self.channel_name)
        raise StopConsumer()


class BoxPage(AsyncConsumer):
    async def http_request(self, event):
        data = {"entries": await Entry.objects.acount()}
        headers = [(b"content-type", b"application/json")]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.send({"type": "http.response.body", "body": json.dumps(data).encode()})
        raise StopConsumer()


application = ProtocolTypeRouter({"websocket": Box.as_asgi(), "http": BoxPage.as_asgi()})
