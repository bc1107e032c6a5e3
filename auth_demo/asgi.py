"""Two ways to log in: a cookie, which needs an origin check, and a ticket or a token."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
django_application = get_asgi_application()

from auth_demo.routing import ticket_urlpatterns, websocket_urlpatterns  # noqa: E402

# The validator is outermost: it rejects a page of another site before a session is read.
with_cookie = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
websockets = URLRouter([*ticket_urlpatterns, re_path(r"", with_cookie)])

application = ProtocolTypeRouter({"http": django_application, "websocket": websockets})
