"""What Daphne and runworker serve: consumers by path or channel, and Django for all other URLs."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
# Before the imports of consumers: they import models, which need a configured Django.
django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import re_path  # noqa: E402

from async_demo.routing import blocking_urlpatterns, http_urlpatterns  # noqa: E402
from async_demo.routing import websocket_urlpatterns as async_urlpatterns  # noqa: E402
from auth_demo.routing import ticket_urlpatterns  # noqa: E402
from auth_demo.routing import websocket_urlpatterns as auth_urlpatterns  # noqa: E402
from db_demo.chat.routing import storing_urlpatterns as chat_urlpatterns  # noqa: E402
from db_demo.hardened_chat.routing import websocket_urlpatterns as hardened_urlpatterns  # noqa: E402
from db_demo.routing import storing_urlpatterns  # noqa: E402
from db_demo.routing import websocket_urlpatterns as db_urlpatterns  # noqa: E402
from layers_demo.routing import channel_name_patterns  # noqa: E402
from layers_demo.routing import websocket_urlpatterns as layers_urlpatterns  # noqa: E402
from lessons.workshop.course.demo_accounts import require_safe_accounts  # noqa: E402
from lessons.workshop.page.static_files import StaticFilesHandler  # noqa: E402
from lessons.workshop.page.unknown_path import reject_unknown_paths  # noqa: E402
from lessons.workshop.setup.network_access import Mode  # noqa: E402
from sync_demo.routing import websocket_urlpatterns as sync_urlpatterns  # noqa: E402

websocket_urlpatterns = [
    *sync_urlpatterns,
    *async_urlpatterns,
    *layers_urlpatterns,
    *auth_urlpatterns,
    *db_urlpatterns,
    *hardened_urlpatterns,
]
if settings.WORKSHOP:  # strangers could block the server, or fill its disk
    websocket_urlpatterns += [*blocking_urlpatterns, *storing_urlpatterns, *chat_urlpatterns]
websocket_application = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
)
if settings.WORKSHOP:  # lesson 17 shows what happens without the origin check
    from lessons.workshop.page.unguarded import with_unguarded

    websocket_application = with_unguarded(websocket_application)

application = ProtocolTypeRouter(
    {
        "http": URLRouter([*http_urlpatterns, re_path(r"", django_application)]),
        # Lessons 18 and 24 check tickets and tokens instead of cookies, without that stack.
        "websocket": URLRouter([*ticket_urlpatterns, re_path(r"", websocket_application)]),
        "channel": ChannelNameRouter(channel_name_patterns),
    }
)

unrecorded = reject_unknown_paths(application)
if settings.WORKSHOP:  # the lessons' pages show the events; other servers record nothing
    from lessons.workshop.page.live.recording import record_page_clients

    # A recorded client of an unknown path gets the exception of Channels: the lessons show it.
    application = record_page_clients(application, others=unrecorded)
else:
    application = unrecorded

application = StaticFilesHandler(application)
if settings.MODE is not Mode.LOCAL:
    require_safe_accounts()
if settings.MODE is Mode.SHARED:
    from lessons.workshop.page.token_check import with_token

    application = with_token(application)
if settings.HTTPS:
    from lessons.workshop.page.https import with_https

    # A load balancer's health check reaches the server without TLS, and so without the redirect.
    health_checks = {"/async/health/"}
    application = with_https(application, django_application, plain_paths=health_checks)
