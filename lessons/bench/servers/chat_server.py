"""A server of `bench chat`: the whole project on Daphne, with one database file.

`python -m lessons.bench.servers.chat_server DATABASE serve` serves. Its log goes to a file beside
the database. `... chat_server DATABASE NUMBER` creates the database with that number of users, and
prints the key of a session for each user.
"""

import os
import sys
from importlib import import_module

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")

HANDSHAKE_TIMEOUT = 5  # seconds, Daphne's default; a server in production has no other


def configure(database: str) -> None:
    """Set up Django as in the mode deployed, but without HTTPS."""
    settings.DATABASES["default"]["NAME"] = database
    settings.DEBUG = settings.WORKSHOP = False
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 60
    django.setup()


def create_users(count: int) -> None:
    from django.contrib.auth import login, models
    from django.core.management import call_command
    from django.http import HttpRequest

    call_command("migrate", verbosity=0)
    sessions = import_module(settings.SESSION_ENGINE)
    for number in range(count):
        user = models.User.objects.create(username=f"user{number}")
        request = HttpRequest()
        request.session = sessions.SessionStore()
        login(request, user, settings.AUTHENTICATION_BACKENDS[0])
        request.session.save()
        print(request.session.session_key)


def serve_project(database: str) -> None:
    from lessons.asgi import application
    from lessons.bench.servers.port_server import serve

    log = os.open(f"{database}.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, sys.stderr.fileno())
    serve(application, websocket_handshake_timeout=HANDSHAKE_TIMEOUT)


if __name__ == "__main__":
    database, command = sys.argv[1:]
    configure(database)
    serve_project(database) if command == "serve" else create_users(int(command))
