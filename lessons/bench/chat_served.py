"""The servers of `bench chat`, the whole project on Daphne, on one database file.

`python -m lessons.bench.chat_served DATABASE serve` serves, and prints the port; its log goes into
a file beside the database. With a number in place of `serve` it makes the database, with so many
users, and prints a session's key for each.
"""

import os
import sys
from importlib import import_module

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
settings.DATABASES["default"]["NAME"] = sys.argv[1]
# As it is served to others: nothing records, and Django does not keep each query.
settings.DEBUG = settings.WORKSHOP = False
settings.ALLOWED_HOSTS = ["127.0.0.1"]
django.setup()

from django.contrib.auth import login, models  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest  # noqa: E402

from lessons.bench.announcing import serve  # noqa: E402


def make(users: int) -> None:
    call_command("migrate", verbosity=0)
    sessions = import_module(settings.SESSION_ENGINE)
    for number in range(users):
        user = models.User.objects.create(username=f"user{number}")
        request = HttpRequest()
        request.session = sessions.SessionStore()
        login(request, user, settings.AUTHENTICATION_BACKENDS[0])
        request.session.save()
        print(request.session.session_key)


if __name__ == "__main__":
    if sys.argv[2] == "serve":
        log = os.open(f"{sys.argv[1]}.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(log, sys.stderr.fileno())
        from lessons.asgi import application

        serve(application)
    else:
        make(int(sys.argv[2]))
