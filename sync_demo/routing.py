"""WebSocket paths of the consumers of lessons 0 to 5. `path()` must match the whole path."""

from django.urls import path

from sync_demo.consumers import (
    Doorkeeper,
    Echo,
    FirstLine,
    FixedSubprotocol,
    Operator,
    Turnstile,
)

websocket_urlpatterns = [
    path("ws/sync/start/", FirstLine.as_asgi()),
    path("ws/sync/accept/", Doorkeeper.as_asgi()),
    path("ws/sync/subprotocol/", FixedSubprotocol.as_asgi()),
    path("ws/sync/frames/", Echo.as_asgi()),
    path("ws/sync/stop/", Operator.as_asgi()),
    path("ws/sync/communicator/", Turnstile.as_asgi()),
]
