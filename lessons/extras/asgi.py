"""What a public server runs: `daphne --proxy-headers lessons.extras.asgi:application`."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, WebsocketDenier
from django.core.asgi import get_asgi_application
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.extras.settings")
django_application = get_asgi_application()

from async_demo.connection_log import ConnectionLog  # noqa: E402
from lessons.extras.routing import websocket_urlpatterns  # noqa: E402

# Without the last route, Channels logs a traceback for each handshake with an unknown path.
consumers = URLRouter([*websocket_urlpatterns, re_path(r"", WebsocketDenier.as_asgi())])
# One instance for both: the health check counts the connections.
logged = ConnectionLog(AllowedHostsOriginValidator(AuthMiddlewareStack(consumers)))

application = ProtocolTypeRouter(
    {
        "http": URLRouter([path("health/", logged), re_path(r"", django_application)]),
        "websocket": logged,
    }
)
