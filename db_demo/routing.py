"""WebSocket paths of the consumers of lessons 19 to 23 and 28."""

from django.urls import path

from db_demo.chat.generic import GenericChat
from db_demo.chat.raw import Chat
from db_demo.consumers import Doorbell, EntryCounter, Guestbook, LiveBlog

websocket_urlpatterns = [
    path("ws/db/liveblog/", LiveBlog.as_asgi()),
]

# Each frame of a client adds a row. Serve these to clients that you trust: no limit ends it.
storing_urlpatterns = [
    path("ws/db/orm/", Guestbook.as_asgi()),
    path("ws/db/replay/", EntryCounter.as_asgi()),
    path("ws/db/testing/", Doorbell.as_asgi()),
    path("ws/db/chat/<str:room>/", Chat.as_asgi()),
    path("ws/db/generic-chat/<str:room>/", GenericChat.as_asgi()),
]
