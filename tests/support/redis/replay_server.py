"""The demos of the database on Daphne: `python -m tests.support.redis.replay_server DATABASE`."""

import os
import sys

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()

from channels.routing import URLRouter  # noqa: E402

from db_demo.routing import websocket_urlpatterns  # noqa: E402
from tests.support.facts_server import serve  # noqa: E402

if __name__ == "__main__":
    serve(URLRouter(websocket_urlpatterns), websocket_handshake_timeout=60)
