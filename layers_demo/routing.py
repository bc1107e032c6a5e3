"""WebSocket paths, and the channels of workers, for the consumers of lessons 11 to 15."""

from django.urls import path

from layers_demo.consumers import Burst, Pager, Primes, PrimesWorker, Room, SharedRoom

websocket_urlpatterns = [
    path("ws/layers/channel/", Pager.as_asgi()),
    path("ws/layers/group/<str:room_name>/", Room.as_asgi()),
    path("ws/layers/delivery/", Burst.as_asgi()),
    path("ws/layers/redis/", SharedRoom.as_asgi()),
    path("ws/layers/worker/", Primes.as_asgi()),
]

# `manage.py runworker primes` takes jobs from the channel "primes".
channel_name_patterns = {
    "primes": PrimesWorker.as_asgi(),
}
