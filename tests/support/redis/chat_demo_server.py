"""The whole project on Daphne, its chat in a hurry.

python -m tests.support.redis.chat_demo_server DB
"""

import os
import sys
from datetime import timedelta

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()

from db_demo.chat import logic, store  # noqa: E402
from lessons.asgi import application  # noqa: E402
from tests.support.facts_server import serve  # noqa: E402

if __name__ == "__main__":
    logic.HEARTBEAT_INTERVAL, store.PRESENCE_TIMEOUT = 0.2, timedelta(seconds=2)
    serve(application, websocket_handshake_timeout=60)
