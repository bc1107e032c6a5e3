"""What lessons 16 and 17 show: less than the whole stack, and what comes of it.

Nothing looks at the origin before these, so they are for the workshop alone.
"""

from channels.auth import AuthMiddleware, AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.urls import path

from auth_demo.consumers import Inbox


class ScopeReport(AsyncConsumer):
    """Tells what is in its scope that no server has put there."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        added = [name for name in ("cookies", "session", "user") if name in self.scope]
        await self.send({"type": "websocket.send", "text": ", ".join(added) or "nothing"})

    async def websocket_receive(self, event):
        """Nothing that a client says is of interest here."""

    async def websocket_disconnect(self, event):
        raise StopConsumer()


scope = ScopeReport.as_asgi()
PREFIX = "ws/auth/unguarded/"

unguarded = URLRouter(
    [
        path(f"{PREFIX}none/", scope),
        path(f"{PREFIX}cookies/", CookieMiddleware(scope)),
        path(f"{PREFIX}session/", CookieMiddleware(SessionMiddleware(scope))),
        # What AuthMiddlewareStack is short for:
        path(f"{PREFIX}user/", CookieMiddleware(SessionMiddleware(AuthMiddleware(scope)))),
        path(f"{PREFIX}origin/", AuthMiddlewareStack(Inbox.as_asgi())),
    ]
)


def with_unguarded(application):
    """`application`, and beside it the paths above."""

    async def chosen(scope, receive, send):
        is_unguarded = scope["path"].startswith(f"/{PREFIX}")
        await (unguarded if is_unguarded else application)(scope, receive, send)

    return chosen
