"""Consumers that use the database. The chat reads the user from the session cookie."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
django_application = get_asgi_application()

from db_demo.routing import storing_urlpatterns, websocket_urlpatterns  # noqa: E402

consumers = AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, *storing_urlpatterns]))
websockets = AllowedHostsOriginValidator(consumers)

application = ProtocolTypeRouter({"http": django_application, "websocket": websockets})
