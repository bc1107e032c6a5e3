import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from pytest_channels.recording.page import record  # noqa: E402
from shop.middleware import ShopMiddleware  # noqa: E402
from shop.routing import websocket_urlpatterns  # noqa: E402

websockets = AuthMiddlewareStack(ShopMiddleware(URLRouter(websocket_urlpatterns)))
application = record(
    ProtocolTypeRouter(
        {"http": django_application, "websocket": AllowedHostsOriginValidator(websockets)}
    )
)
