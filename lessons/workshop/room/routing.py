"""The sockets of the room, each behind the check that fits its clients."""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from lessons.workshop.room.consumers import BoardConsumer, StudentConsumer


def check_origin_of_browsers(application):
    """Reject a page of another site. A program sends no Origin, so it may pass without one."""
    guarded = AllowedHostsOriginValidator(application)

    async def check(scope, receive, send):
        is_browser = any(name == b"origin" for name, _ in scope["headers"])
        await (guarded if is_browser else application)(scope, receive, send)

    return check


# The token of a student's workshop replaces the cookie.
students = check_origin_of_browsers(StudentConsumer.as_asgi())
boards = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter([path("ws/room/board/<int:class_id>/", BoardConsumer.as_asgi())]))
)
websocket_application = URLRouter([path("room/student/", students), re_path(r"", boards)])
