"""Lesson 30, solved: a lobby that uses the sync thread only where it must."""

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User


class Lobby(AsyncConsumer):
    # The types that skip the thread. A handler that is added later does not skip it.
    lean = ("websocket.connect", "websocket.receive", "websocket.disconnect")

    async def dispatch(self, message):
        if message.get("type") in self.lean:
            await getattr(self, get_handler_name(message))(message)
        else:
            # This checks the connections, and refuses a type without a handler.
            await super().dispatch(message)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": "pong"})

    async def accounts_changed(self, event):
        count = await User.objects.acount()
        await self.send({"type": "websocket.send", "text": f"{count} accounts"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
