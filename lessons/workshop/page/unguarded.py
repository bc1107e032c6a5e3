"""Serves lesson 17's consumer without an origin check too, so that the other site can reach it.

The workshop alone serves this path. Do not copy it.
"""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path

from auth_demo.consumers import Inbox

PATH = "ws/auth/unguarded/origin/"

unguarded = AuthMiddlewareStack(URLRouter([path(PATH, Inbox.as_asgi())]))


def with_unguarded(application):
    """Serve the path above without a check, and `application` on all other paths."""

    async def choose(scope, receive, send):
        is_unguarded = scope["path"] == f"/{PATH}"
        await (unguarded if is_unguarded else application)(scope, receive, send)

    return choose
