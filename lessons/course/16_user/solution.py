"""Lesson 16, solved: a counter that serves those who have logged in."""

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.urls import path


class Counter(AsyncConsumer):
    user = None  # until it is known who is there

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        user = self.scope["user"]
        # An AnonymousUser is there, is not None and is true: only this attribute tells.
        if not user.is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            return
        self.user = user
        await self.say(f"Hello, {user.get_username()}.")

    async def websocket_receive(self, event):
        # A frame of a stranger who does not know yet that it is closed.
        if self.user is None:
            return
        # Not has_perm, which would ask the database from the loop.
        may = await self.user.ahas_perm("auth.change_user")
        await self.say("stamped" if may else "not yours to stamp")

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


# Cookies, the session that they name, the user that it names: all of them, for each connection.
application = AuthMiddlewareStack(URLRouter([path("ws/auth/user/", Counter.as_asgi())]))
