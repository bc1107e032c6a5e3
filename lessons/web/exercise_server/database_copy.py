"""The database of a served exercise: a copy of the workshop's SQLite file.

The copy has the accounts and sessions of the workshop. What the exercise writes stays in the copy.
Logins that are newer than the copy come with the client that uses them.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections

_TIMEOUT = 1.0  # seconds to wait for a transaction of the exercise

# The rows of a login: {table: {column: value}}
Login = dict[str, dict]


def workshop_file() -> str:
    """The path of the workshop's database."""
    return str(connections["default"].settings_dict["NAME"])


def copy_database(source: str, folder: str) -> str:
    """Copy the database into a folder. Returns the path of the copy, which is empty without one."""
    path = str(Path(folder) / "db.sqlite3")
    with closing(sqlite3.connect(path)) as copy:
        if Path(source).exists():
            with closing(_read_only(source)) as original:
                original.backup(copy)
    return path


def use_copy(path: str) -> None:
    """From now on, Django's default database is the copy."""
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = path
    connections.databases["default"]["NAME"] = path
    connections["default"].settings_dict["NAME"] = path


def find_login(source: str, session_key: str) -> Login:
    """The rows of the session and of its user; {} if the session does not exist."""
    with suppress(sqlite3.Error), closing(_read_only(source)) as database:
        session = _row(database, "django_session", "session_key", session_key)
        if session is None:
            return {}
        user_id = SessionStore().decode(session["session_data"]).get(SESSION_KEY)
        user = user_id and _row(database, "auth_user", "id", user_id)
        return {"django_session": session} | ({"auth_user": user} if user else {})
    return {}


def add_login(path: str, login: Login) -> None:
    """Add the rows that the copy does not have."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=_TIMEOUT)) as database:
        for table, row in login.items():
            names = ", ".join(f'"{name}"' for name in row)
            values = ", ".join("?" * len(row))
            database.execute(
                f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({values})', [*row.values()]
            )
        database.commit()


def _read_only(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    return database


def _row(database: sqlite3.Connection, table: str, column: str, value) -> dict | None:
    found = database.execute(f'SELECT * FROM "{table}" WHERE "{column}" = ?', [value]).fetchone()
    return dict(found) if found else None
