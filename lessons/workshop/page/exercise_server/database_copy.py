"""The database of a served exercise: an SQLite file with the accounts and sessions of the workshop.

What the exercise writes stays in the file. Logins that are newer come with the client that uses
them. Rows are {column: value}, as SQLite stores them.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.models import Model

from lessons.workshop.engine.world.database import create_tables

_TIMEOUT = 1.0  # seconds to wait for a transaction of the exercise
_COPIED = ("contenttypes", "auth", "sessions")  # apps

Row = tuple[str, dict]  # the table, and the row


def create_copy(folder: str) -> str:
    """Create the file in the folder, with all tables. Returns its path."""
    path = str(Path(folder) / "db.sqlite3")
    with closing(_sqlite(path)) as sqlite:
        create_tables(sqlite)
    with closing(connections["default"]):
        models = (one for name in _COPIED for one in apps.get_app_config(name).get_models(True))
        add_rows(path, [row for model in models for row in _rows(model)])
    return path


def use_copy(path: str) -> None:
    """From now on, Django's default database is the copy."""
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = path
    connections.databases["default"]["NAME"] = path
    connections["default"].settings_dict["NAME"] = path


def find_login(session_key: str) -> list[Row]:
    """The rows of the session and of its user; [] if the session does not exist."""
    with suppress(DatabaseError), closing(connections["default"]):
        session = Session.objects.filter(pk=session_key).first()
        user = session and session.get_decoded().get(SESSION_KEY)
        return [*_rows(Session, pk=session_key), *_rows(get_user_model(), pk=user)]
    return []


def add_rows(path: str, rows: Iterable[Row]) -> None:
    """Add the rows that the copy does not have."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=_TIMEOUT)) as database:
        for table, row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            values = ", ".join("?" * len(row))
            insert = f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({values})'
            database.execute(insert, [*row.values()])
        database.commit()


def _rows(model: type[Model], **wanted) -> Iterator[Row]:
    """The model's rows in the workshop's database."""
    sqlite, fields = _sqlite(":memory:"), model._meta.concrete_fields
    found = model._base_manager.filter(**wanted).values_list(*(field.attname for field in fields))
    for values in found.iterator():
        pairs = zip(fields, values, strict=True)
        row = {field.column: field.get_db_prep_save(value, sqlite) for field, value in pairs}
        yield model._meta.db_table, row


def _sqlite(path: str) -> DatabaseWrapper:
    """Django's connection to an SQLite file that no setting names. It is not open yet."""
    entry = {"default": {**settings.SQLITE, "NAME": path}}
    return DatabaseWrapper(connections.configure_settings(entry)["default"])
