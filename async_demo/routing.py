"""WebSocket and HTTP paths of the consumers of lessons 4 to 10, 25, 29 and 30."""

from django.urls import path

from async_demo.board import Board
from async_demo.connection_log import ConnectionLog
from async_demo.consumers import (
    Echo,
    Heartbeat,
    LeanEcho,
    Metronome,
    OwnThread,
    Printer,
    Shelf,
    Sleeper,
    SlowEcho,
)
from async_demo.generic_http import RawLength
from async_demo.storyteller import Storyteller

# One instance for both paths: the health check counts the connections of the other path.
logged_echo = ConnectionLog(SlowEcho.as_asgi())

websocket_urlpatterns = [
    path("ws/async/await/", Echo.as_asgi()),
    path("ws/async/await/printer/", Printer.as_asgi()),
    path("ws/async/push/", Metronome.as_asgi()),
    path("ws/async/generic/", Shelf.as_asgi()),
    path("ws/async/page/", Board.as_asgi()),
    path("ws/async/cost/", LeanEcho.as_asgi()),
    path("ws/async/stream/", Storyteller.as_asgi()),
    path("ws/async/deploy/", logged_echo),
]

# One client of these can make all others wait. Serve them on your own machine only.
blocking_urlpatterns = [
    path("ws/async/blocking/", Sleeper.as_asgi()),
    path("ws/async/blocking/own-thread/", OwnThread.as_asgi()),
]

http_urlpatterns = [
    path("async/http/", Heartbeat.as_asgi()),
    path("async/http/length/", RawLength.as_asgi()),
    path("async/health/", logged_echo),
]
