"""Lesson 17, solved: letters, for pages of their own site alone."""

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
    """Lets through what pages of this site have begun."""

    # Each full stop is one, the dot in front of the name included, and nothing may follow.
    own = re.compile(r"https://([a-z0-9-]+\.)*letters\.town\.example(:8443)?")

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        # No Origin comes from no browser: it is as foreign as any other.
        origin = dict(scope["headers"]).get(b"origin", b"").decode("latin1")
        if self.is_own(origin):
            await self.application(scope, receive, send)
        else:
            # HTTP 403, without a reason: this is not for the visitor to see, nor for the page.
            await send({"type": "websocket.close"})

    def is_own(self, origin):
        return self.own.fullmatch(origin) is not None


# Outermost: for a page of another site, no cookie is looked at and no database is asked.
application = OwnPages(
    AuthMiddlewareStack(URLRouter([path("ws/auth/origin/", Letters.as_asgi())])),
)
