"""Which path leads to which consumer of lessons 11 to 15."""

from django.urls import path

from layers_demo.consumers import Burst, Lobby, Pager, Room

websocket_urlpatterns = [
    path("ws/layers/channel/", Pager.as_asgi()),
    path("ws/layers/group/<str:room_name>/", Room.as_asgi()),
    path("ws/layers/delivery/", Burst.as_asgi()),
    path("ws/layers/redis/", Lobby.as_asgi()),
]
