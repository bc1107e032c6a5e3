"""Consumers serve WebSockets, and `manage.py runworker primes` runs the worker of a channel."""

import os

from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
django_application = get_asgi_application()

from layers_demo.routing import channel_name_patterns, websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter(websocket_urlpatterns),
        "channel": ChannelNameRouter(channel_name_patterns),
    }
)
