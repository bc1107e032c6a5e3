"""WebSocket paths of both chats of lesson 23."""

from django.urls import path

from db_demo.chat.generic import GenericChat
from db_demo.chat.raw import Chat

# Guests store messages without a limit, so serve these to clients that you trust. The chat for all
# others is in hardened_chat/.
storing_urlpatterns = [
    path("ws/db/chat/<str:room>/", Chat.as_asgi()),
    path("ws/db/generic-chat/<str:room>/", GenericChat.as_asgi()),
]
