"""WebSocket paths of both hardened chats."""

from django.urls import path

from lessons.extras.hardened_chat.generic import HardenedGenericChat
from lessons.extras.hardened_chat.raw import HardenedChat

websocket_urlpatterns = [
    path("ws/chat/<str:room>/", HardenedChat.as_asgi()),
    path("ws/generic-chat/<str:room>/", HardenedGenericChat.as_asgi()),
]
