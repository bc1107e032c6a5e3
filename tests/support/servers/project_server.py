"""Serves the whole project; see `start` at the end."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import django
from django.conf import settings
from django.urls import path

from tests.support.servers.daphne_server import serve, start

PASSWORD = "lovelace 1843"


def project(server="Daphne", **options):
    from lessons.asgi import application

    serve(application, server, websocket_handshake_timeout=60, **options)


def set_up(redis, database):
    os.environ["REDIS_URL"] = redis
    settings.DATABASES["default"]["NAME"] = database
    django.setup()


def chat(redis, database):
    """The chat's times are short."""
    set_up(redis, database)
    from lessons.extras.hardened_chat import consumer, store

    consumer.HEARTBEAT_INTERVAL, store.PRESENCE_TIMEOUT = 0.2, timedelta(seconds=2)
    project()


def auth(redis, database):
    """With the views of `act`, and with Daphne's access log on stdout."""
    sys.stdout.reconfigure(line_buffering=True)
    set_up(redis, database)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from daphne.access import AccessLogGenerator

    from lessons import urls
    from lessons.workshop.engine.world.database import create_tables

    urls.urlpatterns.insert(0, path("act/<str:what>/<str:name>/", act))
    if not Path(database).exists():
        create_tables()
    project(action_logger=AccessLogGenerator(sys.stdout))


def act(request, what, name):
    """Make a user, and log it in or out: /act/login/ada/."""
    from django.contrib.auth import login, logout
    from django.contrib.auth.models import User
    from django.http import HttpResponse

    user, is_new = User.objects.get_or_create(username=name)
    if is_new:
        user.set_password(PASSWORD)
        user.save()
    if what == "login":
        login(request, user)
    elif what == "logout":
        logout(request)
    return HttpResponse("done")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    start(project, chat, auth)
