"""Lesson 17: letters, for pages of their own site alone.

The site is `https://letters.town.example`. The same on port 8443 belongs to it as well, and so does
whatever is below it, on both ports: `https://ada.letters.town.example:8443`. A handshake that a
page of any other origin has begun is refused, and so is one without an Origin, and one whose
Origin is `null`.

Whoever has logged in and comes from an own page gets their letters; that works.
"""

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.urls import path


class Letters(AsyncConsumer):
    async def websocket_connect(self, event):
        user = self.scope["user"]
        await self.send({"type": "websocket.accept"})
        if user.is_authenticated:
            text = f"Letters for {user.get_username()}: 3"
            await self.send({"type": "websocket.send", "text": text})
        else:
            await self.send({"type": "websocket.close", "code": 4401})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class OwnPages:
    """Lets through what pages of this site have begun."""

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        origin = dict(scope["headers"]).get(b"origin", b"").decode("latin1")
        if self.is_own(origin):
            await self.application(scope, receive, send)
        # TODO 2: and otherwise?

    def is_own(self, origin):
        # TODO 1: compare all of it: scheme, host and port.
        return True


# What asgi.py serves for WebSockets.
application = OwnPages(
    AuthMiddlewareStack(URLRouter([path("ws/auth/origin/", Letters.as_asgi())])),
)
