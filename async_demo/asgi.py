"""Consumers serve WebSockets and a few HTTP paths. Django serves all other HTTP paths."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
django_application = get_asgi_application()

from async_demo import routing  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": URLRouter([*routing.http_urlpatterns, re_path(r"", django_application)]),
        "websocket": URLRouter([*routing.websocket_urlpatterns, *routing.blocking_urlpatterns]),
    }
)
