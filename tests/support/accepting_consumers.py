"""Consumers that accept each client, and stop when the client leaves. Tests add what they need."""

from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer


class Accepts(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class AcceptsInAThread(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        raise StopConsumer()
