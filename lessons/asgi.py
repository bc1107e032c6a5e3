"""What Daphne and runworker serve: all apps, each with the stack of its own asgi.py, and Django.

Read the asgi.py of an app first, such as auth_demo/asgi.py: it is what your own project needs.
"""

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

import async_demo.asgi  # noqa: E402
import auth_demo.asgi  # noqa: E402
import db_demo.asgi  # noqa: E402
import layers_demo.asgi  # noqa: E402
import lessons.extras.routing  # noqa: E402
import sync_demo.asgi  # noqa: E402
from lessons.extras.host_check import with_host_checks  # noqa: E402
from lessons.workshop.page.application_for_mode import application_for_mode  # noqa: E402
from lessons.workshop.page.unknown_path import only_on, reject_unknown_paths  # noqa: E402

HEALTH_CHECK = "async/health/"  # a load balancer's: without TLS, and with any Host

http_urlpatterns = with_host_checks(async_demo.routing.http_urlpatterns, unchecked=HEALTH_CHECK)
# The routes that a page of another site cannot reach. The other routes read no cookie.
websocket_urlpatterns = [
    *sync_demo.routing.websocket_urlpatterns,
    *async_demo.routing.websocket_urlpatterns,
    *layers_demo.routing.websocket_urlpatterns,
    *auth_demo.routing.websocket_urlpatterns,
    *db_demo.routing.websocket_urlpatterns,
    *lessons.extras.routing.websocket_urlpatterns,
]
if settings.WORKSHOP:  # strangers could block the server, or fill its disk
    websocket_urlpatterns += async_demo.routing.blocking_urlpatterns
    websocket_urlpatterns += db_demo.routing.storing_urlpatterns

extras = AuthMiddlewareStack(URLRouter(lessons.extras.routing.websocket_urlpatterns))
apps = URLRouter(  # "(?=" looks ahead: the app's own router sees the whole path
    [
        re_path(r"^(?=ws/sync/)", sync_demo.asgi.application),
        re_path(r"^(?=ws/async/)", async_demo.asgi.application),
        re_path(r"^(?=ws/layers/)", layers_demo.asgi.application),
        re_path(r"^(?=ws/auth/)", auth_demo.asgi.application),
        re_path(r"^(?=ws/db/)", db_demo.asgi.application),
        re_path(r"", extras),
    ]
)
websocket_application = AllowedHostsOriginValidator(only_on(websocket_urlpatterns, apps))
if settings.WORKSHOP:  # lesson 17 shows what happens without the origin check
    from lessons.workshop.page.unguarded import with_unguarded

    websocket_application = with_unguarded(websocket_application)

routed = ProtocolTypeRouter(
    {
        "http": URLRouter([*http_urlpatterns, re_path(r"", django_application)]),
        # Lessons 18 and 24 check tickets and tokens. Their clients need no origin.
        "websocket": URLRouter(
            [*auth_demo.routing.ticket_urlpatterns, re_path(r"", websocket_application)]
        ),
        "channel": ChannelNameRouter(layers_demo.routing.channel_name_patterns),
    }
)
unrecorded = reject_unknown_paths(routed)
application = application_for_mode(routed, unrecorded, django_application, {f"/{HEALTH_CHECK}"})
