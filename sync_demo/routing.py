"""Which path leads to which consumer. `path()` matches the whole path, not just its beginning."""

from django.urls import path

from sync_demo.consumers import Doorkeeper

websocket_urlpatterns = [
    path("ws/sync/accept/", Doorkeeper.as_asgi()),
]
