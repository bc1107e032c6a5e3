"""WebSocket paths, and the channels of workers, for the consumers of this app."""

from django.urls import path

from layers_demo.consumers import Burst, Jukebox, Pager, Primes, PrimesWorker, Siren
from layers_demo.noticeboard import Noticeboard

websocket_urlpatterns = [
    path("ws/layers/channel/", Pager.as_asgi()),
    path("ws/layers/group/lobby/", Jukebox.as_asgi()),
    path("ws/layers/delivery/", Burst.as_asgi()),
    path("ws/layers/redis/", Siren.as_asgi()),
    path("ws/layers/worker/", Primes.as_asgi()),
    path("ws/layers/outside/<int:number>/", Noticeboard.as_asgi()),
]

# `manage.py runworker primes` takes jobs from the channel "primes".
channel_name_patterns = {
    "primes": PrimesWorker.as_asgi(),
}
