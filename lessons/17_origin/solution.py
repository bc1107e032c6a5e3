"""Lesson 17, solved: letters, only for pages of their own site."""

import re

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
    """Calls the application only for pages of this site."""

    # `\.` matches a full stop only, and fullmatch() allows nothing before or after.
    own = re.compile(r"https://([a-z0-9-]+\.)*letters\.town\.example(:8443)?")

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        # A browser always sends an Origin, so a handshake without one is rejected too.
        origin = dict(scope["headers"]).get(b"origin", b"").decode("latin1")
        if self.is_own(origin):
            await self.application(scope, receive, send)
        else:
            # HTTP 403. A hostile page needs no reason.
            await send({"type": "websocket.close"})

    def is_own(self, origin):
        return self.own.fullmatch(origin) is not None


# Outermost: for a page of another site, no cookie is read and no query is made.
application = OwnPages(
    AuthMiddlewareStack(URLRouter([path("ws/auth/origin/", Letters.as_asgi())])),
)
