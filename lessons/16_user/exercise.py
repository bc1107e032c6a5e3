"""Lesson 16: a counter that serves logged-in users only.

- The counter accepts the handshake of an anonymous client, then closes the connection with 4401,
  so that the page learns why. It sends no text to an anonymous client, even if frames arrive.
- A client that has logged in receives `Hello, ada.`, with the username of its own user.
- The counter answers each frame of such a client: `stamped` if the user has the permission
  `auth.change_user`, else `not yours to stamp`. The connection stays open in both cases.

The counter may read the permission at the handshake, at the first frame or at each frame.
"""

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.urls import path


# The checks look for this name and this base class: keep both.
class Counter(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        # TODO 2: which user is this? Close the connection of an anonymous client.
        await self.say("Hello, you.")

    async def websocket_receive(self, event):
        # TODO 2, too: does this user have the permission?
        await self.say("stamped")

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


# What asgi.py serves for WebSockets.
# TODO 1: no middleware puts the user into the scope yet.
application = URLRouter([path("ws/auth/user/", Counter.as_asgi())])
