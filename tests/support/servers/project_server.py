"""Serves the whole project; see `start` at the end."""

import os
from datetime import timedelta

import django
from django.conf import settings

from tests.support.servers.daphne_server import serve, start


def project(server="Daphne"):
    from lessons.asgi import application

    serve(application, server, websocket_handshake_timeout=60)


def chat(redis, database):
    """The chat's times are short."""
    os.environ["REDIS_URL"] = redis
    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from lessons.extras.hardened_chat import consumer, store

    consumer.HEARTBEAT_INTERVAL, store.PRESENCE_TIMEOUT = 0.2, timedelta(seconds=2)
    project()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    start(project, chat)
