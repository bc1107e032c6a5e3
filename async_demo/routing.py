"""WebSocket and HTTP paths of the consumers of lessons 5 to 10."""

from django.urls import path

from async_demo.consumers import (
    Echo,
    Heartbeat,
    LeanEcho,
    Metronome,
    OwnThread,
    Printer,
    Shelf,
    Sleeper,
)
from async_demo.generic_http import RawLength

websocket_urlpatterns = [
    path("ws/async/await/", Echo.as_asgi()),
    path("ws/async/await/printer/", Printer.as_asgi()),
    path("ws/async/blocking/", Sleeper.as_asgi()),
    path("ws/async/blocking/own-thread/", OwnThread.as_asgi()),
    path("ws/async/push/", Metronome.as_asgi()),
    path("ws/async/generic/", Shelf.as_asgi()),
    path("ws/async/cost/", LeanEcho.as_asgi()),
]

http_urlpatterns = [
    path("async/http/", Heartbeat.as_asgi()),
    path("async/http/length/", RawLength.as_asgi()),
]
