"""WebSocket paths of the consumers of lessons 20 to 22."""

from django.urls import path

from db_demo.consumers import EntryCounter, Guestbook, LiveBlog

websocket_urlpatterns = [
    path("ws/db/orm/", Guestbook.as_asgi()),
    path("ws/db/liveblog/", LiveBlog.as_asgi()),
    path("ws/db/replay/", EntryCounter.as_asgi()),
]
