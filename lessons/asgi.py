"""What Daphne and runworker serve: all apps, each with the stack of its own asgi.py, and Django.

Read the asgi.py of an app first, such as auth_demo/asgi.py: it is what your own project needs.
lessons/extras/asgi.py is what a public server runs.
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
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402
from django.urls import path, re_path  # noqa: E402

import async_demo.asgi  # noqa: E402
import auth_demo.asgi  # noqa: E402
import db_demo.asgi  # noqa: E402
import layers_demo.asgi  # noqa: E402
import lessons.extras.routing  # noqa: E402
import sync_demo.asgi  # noqa: E402
from lessons.extras.host_check import with_host_checks  # noqa: E402
from lessons.workshop.page.live.recording import record_page_clients  # noqa: E402
from lessons.workshop.page.token_check import with_token  # noqa: E402
from lessons.workshop.page.unknown_path import reject_unknown_paths  # noqa: E402
from lessons.workshop.setup.network_access import Mode  # noqa: E402
from lessons.workshop.student.demo_accounts import require_safe_accounts  # noqa: E402

# A load balancer asks for a health check with any Host.
http_urlpatterns = with_host_checks(async_demo.routing.http_urlpatterns, "async/health/")
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
# Lesson 17 shows what happens without an origin check. Do not copy this.
unguarded = AuthMiddlewareStack(auth_demo.consumers.Inbox.as_asgi())
websockets = URLRouter(
    [
        # Lessons 18 and 24 check tickets and tokens. Their clients need no origin.
        *auth_demo.routing.ticket_urlpatterns,
        path("ws/auth/unguarded/origin/", unguarded),
        re_path(r"", AllowedHostsOriginValidator(apps)),
    ]
)
routed = ProtocolTypeRouter(
    {
        "http": URLRouter([*http_urlpatterns, re_path(r"", django_application)]),
        "websocket": websockets,
        "channel": ChannelNameRouter(layers_demo.routing.channel_name_patterns),
    }
)
unrecorded = reject_unknown_paths(routed)
# A recorded client of an unknown path gets the exception of Channels: the lessons show it.
application = record_page_clients(routed, others=unrecorded)
application = ASGIStaticFilesHandler(application)
if settings.MODE is Mode.SHARED:
    require_safe_accounts()
    application = with_token(application)
