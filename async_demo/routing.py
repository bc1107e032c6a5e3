"""Which path leads to which consumer of lessons 5 to 10."""

from django.urls import path

from async_demo.consumers import Echo, Heartbeat, OwnThread, Register, Shelf, Ticker, Waiter

websocket_urlpatterns = [
    path("ws/async/await/", Echo.as_asgi()),
    path("ws/async/blocking/", Waiter.as_asgi()),
    path("ws/async/blocking/own-thread/", OwnThread.as_asgi()),
    path("ws/async/push/", Ticker.as_asgi()),
    path("ws/async/generic/", Shelf.as_asgi()),
    path("ws/async/cost/", Register.as_asgi()),
]

http_urlpatterns = [
    path("async/http/", Heartbeat.as_asgi()),
]
