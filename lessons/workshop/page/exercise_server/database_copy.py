"""The database of a served exercise: an SQLite file with the users and sessions of the workshop.

What the exercise writes stays in the file. Users and a session that are newer come with the client
that uses them. Rows are JSON of Django's serializers.
"""

from contextlib import closing, suppress
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core import serializers
from django.db import DatabaseError, connection, connections

from lessons.workshop.engine.world.database import create_tables


def use(path: str) -> None:
    """From now on, Django's default database is this file. A new one gets all tables."""
    is_new = not Path(path).exists()
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = path
    connections.databases["default"]["NAME"] = path
    connections["default"].settings_dict["NAME"] = path
    if is_new:
        create_tables()


def logins(session_key: str = "") -> str:
    """The rows of all users, and of the session with this key, if it exists."""
    fields = {one.name for model in (get_user_model(), Session) for one in model._meta.fields}
    with suppress(DatabaseError), closing(connection):
        session = Session.objects.filter(pk=session_key)
        objects = [*get_user_model().objects.all(), *session]
        return serializers.serialize("json", objects, fields=fields)
    return "[]"


def add_rows(rows: str) -> None:
    """Add the rows that the file does not have."""
    with closing(connection):
        for row in serializers.deserialize("json", rows):
            if not type(row.object).objects.filter(pk=row.object.pk).exists():
                with suppress(DatabaseError):  # another user of the exercise has the name
                    row.save()
