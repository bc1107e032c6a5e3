"""Lessons 16 and 17: incomplete middleware stacks, so that you see what each part adds.

These paths do not check the origin. They exist in the workshop only. Do not copy them.
"""

from channels.auth import AuthMiddleware, AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.urls import path

from auth_demo.consumers import Inbox


class ScopeReport(AsyncConsumer):
    """Sends the names of the keys that middlewares have added to its scope."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        added = [name for name in ("cookies", "session", "user") if name in self.scope]
        await self.send({"type": "websocket.send", "text": ", ".join(added) or "nothing"})

    async def websocket_receive(self, event):
        pass  # this consumer ignores all frames

    async def websocket_disconnect(self, event):
        raise StopConsumer()


scope = ScopeReport.as_asgi()
PREFIX = "ws/auth/unguarded/"

unguarded = URLRouter(
    [
        path(f"{PREFIX}none/", scope),
        path(f"{PREFIX}cookies/", CookieMiddleware(scope)),
        path(f"{PREFIX}session/", CookieMiddleware(SessionMiddleware(scope))),
        # AuthMiddlewareStack combines these three:
        path(f"{PREFIX}user/", CookieMiddleware(SessionMiddleware(AuthMiddleware(scope)))),
        path(f"{PREFIX}origin/", AuthMiddlewareStack(Inbox.as_asgi())),
    ]
)


def with_unguarded(application):
    """Serve the paths above, and `application` on all other paths."""

    async def choose(scope, receive, send):
        is_unguarded = scope["path"].startswith(f"/{PREFIX}")
        await (unguarded if is_unguarded else application)(scope, receive, send)

    return choose
