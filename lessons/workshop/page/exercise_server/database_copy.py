"""The database of a served exercise: a copy of the workshop's, always an SQLite file.

The copy has the accounts and sessions of the workshop. What the exercise writes stays in the copy.
Logins that are newer than the copy come with the client that uses them.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.models import Model

from lessons.workshop.engine.world.database import create_tables

_TIMEOUT = 1.0  # seconds to wait for a transaction of the exercise

# The rows of a login: {table: {column: value}}
Login = dict[str, dict]


def workshop_file() -> str:
    """The path of the workshop's database; "" if that is not an SQLite file."""
    return "" if settings.DATABASE_URL else str(connections["default"].settings_dict["NAME"])


def copy_database(source: str, folder: str) -> str:
    """Copy the database into a folder. Returns the path of the copy, which is empty without one."""
    path = str(Path(folder) / "db.sqlite3")
    if not source:
        _copy_rows(path)
        return path
    with closing(sqlite3.connect(path)) as copy:
        if Path(source).exists():
            with closing(_read_only(source)) as original:
                original.backup(copy)
    return path


def _copy_rows(path: str) -> None:
    """Create the tables, and copy the rows of the workshop's database, which is not a file."""
    with closing(_wrapper_of(path)) as sqlite:
        create_tables(sqlite)
    with closing(sqlite3.connect(path)) as copy, closing(connections["default"]):
        for model in apps.get_models(include_auto_created=True):
            for row in _rows(model):
                _insert(copy, model._meta.db_table, row)
        copy.commit()


def use_copy(path: str) -> None:
    """From now on, Django's default database is the copy."""
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = path
    connections.databases["default"]["NAME"] = path
    connections["default"].settings_dict["NAME"] = path


def find_login(source: str, session_key: str) -> Login:
    """The rows of the session and of its user; {} if the session does not exist."""
    with suppress(sqlite3.Error, DatabaseError), _reader(source) as row_of:
        session = row_of("sessions.Session", session_key)
        if session is None:
            return {}
        user_id = SessionStore().decode(session["session_data"]).get(SESSION_KEY)
        user = user_id and row_of("auth.User", user_id)
        return {"django_session": session} | ({"auth_user": user} if user else {})
    return {}


def add_login(path: str, login: Login) -> None:
    """Add the rows that the copy does not have."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=_TIMEOUT)) as database:
        for table, row in login.items():
            _insert(database, table, row)
        database.commit()


def _insert(database: sqlite3.Connection, table: str, row: dict) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join("?" * len(row))
    database.execute(
        f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({values})', [*row.values()]
    )


@contextmanager
def _reader(source: str) -> Iterator[Callable[[str, object], dict | None]]:
    """A function that returns the row of a model with this primary key, or None."""
    if source:
        with closing(_read_only(source)) as database:
            yield partial(_row, database)
    else:
        with closing(connections["default"]):
            yield lambda model, key: next(_rows(apps.get_model(model), pk=key), None)


def _read_only(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    return database


def _row(database: sqlite3.Connection, model: str, key) -> dict | None:
    meta = apps.get_model(model)._meta
    query = f'SELECT * FROM "{meta.db_table}" WHERE "{meta.pk.column}" = ?'
    found = database.execute(query, [key]).fetchone()
    return dict(found) if found else None


def _rows(model: type[Model], **wanted) -> Iterator[dict]:
    """The model's rows in the workshop's database, as SQLite stores them: {column: value}."""
    sqlite, fields = _wrapper_of(":memory:"), model._meta.concrete_fields
    found = model._base_manager.filter(**wanted).values_list(*(field.attname for field in fields))
    for values in found.iterator():
        pairs = zip(fields, values, strict=True)
        yield {field.column: field.get_db_prep_save(value, sqlite) for field, value in pairs}


def _wrapper_of(path: str) -> DatabaseWrapper:
    """Django's connection to an SQLite file that no setting names. It is not open yet."""
    entry = {"default": {**settings.SQLITE, "NAME": path}}
    return DatabaseWrapper(connections.configure_settings(entry)["default"])
