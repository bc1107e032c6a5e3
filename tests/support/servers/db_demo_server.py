"""The worked examples of lessons 20 to 23 on Daphne. The chat's times are short.

`python -m tests.support.servers.db_demo_server DATABASE project` serves the whole project,
`... DATABASE demos` only the routes of the worked examples, without a check of the origin.
"""

import os
import sys
from datetime import timedelta

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()

from channels.routing import URLRouter  # noqa: E402

from db_demo.routing import storing_urlpatterns, websocket_urlpatterns  # noqa: E402
from lessons.asgi import application  # noqa: E402
from lessons.extras.hardened_chat import consumer, store  # noqa: E402
from tests.support.servers.daphne_server import serve  # noqa: E402

APPLICATIONS = {
    "project": application,
    "demos": URLRouter([*websocket_urlpatterns, *storing_urlpatterns]),
}


if __name__ == "__main__":
    consumer.HEARTBEAT_INTERVAL, store.PRESENCE_TIMEOUT = 0.2, timedelta(seconds=2)
    serve(APPLICATIONS[sys.argv[2]], websocket_handshake_timeout=60)
