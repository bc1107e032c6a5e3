"""Which path leads to which consumer of lessons 5 to 10."""

from django.urls import path

from async_demo.consumers import Echo

websocket_urlpatterns = [
    path("ws/async/await/", Echo.as_asgi()),
]
