"""Lesson 17: letters, only for pages of their own site.

The site is `https://letters.town.example`. The same host on port 8443 belongs to the site, and so
does every host below it, on port 443 (default) or 8443: `https://ada.letters.town.example:8443`.
Your application rejects every other handshake before the accept: from a page of another origin,
without an Origin, or with the Origin `null`. A rejection may have a close code.

An Origin is malformed if it is not just a scheme, `://`, a host name, and perhaps a colon and a
port number. A malformed Origin never gets in. In this case, an exception is fine too.

Browsers write an origin in lower case, without a path or the default port. You may accept or reject
an own origin that differs in this: capital letters, `/` at its end, or `:443`.

A logged-in client from an own page already gets its letters.
"""

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.urls import path


# The checks look for this name and this base class: keep both.
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

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        origin = dict(scope["headers"]).get(b"origin", b"").decode("latin1")
        if self.is_own(origin):
            await self.application(scope, receive, send)
        # TODO 2: reject the handshake otherwise.

    def is_own(self, origin):
        # TODO 1: compare the scheme, the host and the port.
        return True


# What asgi.py serves for WebSockets.
application = OwnPages(
    AuthMiddlewareStack(URLRouter([path("ws/auth/origin/", Letters.as_asgi())])),
)
