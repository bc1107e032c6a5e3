"""WebSocket paths of the hardened chat."""

from django.urls import path

from lessons.extras.hardened_chat.consumer import HardenedChat

websocket_urlpatterns = [path("ws/chat/<str:room>/", HardenedChat.as_asgi())]
