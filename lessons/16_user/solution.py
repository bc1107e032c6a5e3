"""Lesson 16, solved: a counter that serves logged-in users only."""

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.urls import path


class Counter(AsyncConsumer):
    user = None  # None until a logged-in user has connected

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        user = self.scope["user"]
        # An AnonymousUser is an object, so it is true in a condition.
        if not user.is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            return
        self.user = user
        await self.say(f"Hello, {user.get_username()}.")

    async def websocket_receive(self, event):
        # An anonymous client may send frames before it sees the close.
        if self.user is None:
            return
        # has_perm() would make a query on the event loop.
        may = await self.user.ahas_perm("auth.change_user")
        await self.say("stamped" if may else "not yours to stamp")

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


# What asgi.py serves for WebSockets. The stack puts cookies, session and user into the scope.
application = AuthMiddlewareStack(URLRouter([path("ws/auth/user/", Counter.as_asgi())]))
