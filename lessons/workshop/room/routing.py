"""The sockets of the room, each behind the check that fits its clients."""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from lessons.workshop.room.consumers import BoardConsumer, StudentConsumer

boards = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter([path("ws/room/board/<int:class_id>/", BoardConsumer.as_asgi())]))
)
# A student's workshop is a program: it sends no Origin. No page can send the header with its token.
students = path("room/student/", StudentConsumer.as_asgi())
websocket_application = URLRouter([students, re_path(r"", boards)])
