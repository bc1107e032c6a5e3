"""WebSocket paths of both chats."""

from django.urls import path

from db_demo.chat.generic import GenericChat
from db_demo.chat.raw import Chat

websocket_urlpatterns = [
    path("ws/chat/<str:room>/", Chat.as_asgi()),
    path("ws/generic-chat/<str:room>/", GenericChat.as_asgi()),
]
