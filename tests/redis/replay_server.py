"""The demos of the database on Daphne: `python -m tests.redis.replay_server DATABASE`."""

import logging
import os
import sys

import daphne.server
import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()

from channels.routing import URLRouter  # noqa: E402

from db_demo.routing import websocket_urlpatterns  # noqa: E402
from tests.workshop.facts_server import QuickReactor, Server  # noqa: E402

if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    daphne.server.reactor = QuickReactor(daphne.server.reactor)
    endpoints = ["tcp:port=0:interface=127.0.0.1"]
    router = URLRouter(websocket_urlpatterns)
    Server(router, endpoints=endpoints, websocket_handshake_timeout=60).run()
