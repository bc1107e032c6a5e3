"""The mode of this server: who may reach it, and what it offers. Everything else asks this module.

|                        | local           | shared          | deployed         | room           |
| ---------------------- | --------------- | --------------- | ---------------- | -------------- |
| for                    | you             | you and a few   | the public       | a class        |
| reached from           | this machine    | other machines  | other machines   | other machines |
| a visitor needs        | nothing         | the token       | nothing          | an account, or |
|                        |                 |                 |                  | a class's code |
| judge, recorder        | yes             | yes             | no               | no             |
| demos                  | all             | all             | some             | none           |
| accounts               | password = name | other passwords | no               | instructors    |
| DEBUG                  | on              | off             | off              | off            |
| HTTPS                  | no              | if you set it   | required         | if you set it  |
| the SQLite file        | db.sqlite3      | shared.sqlite3  | deployed.sqlite3 | room.sqlite3   |

A deployed server leaves out the demos that one client can use to block it, or to fill its disk.

The settings read the mode once, from these environment variables:

DJANGO_MODE           local (the default), shared, deployed or room
DJANGO_ALLOWED_HOSTS  the names under which browsers reach the server, with commas between them
DJANGO_SECRET_KEY     required where it is deployed; a shared server and a room make their own
DJANGO_HTTPS          where HTTPS ends: `proxy`, or the number of the port at which Daphne has TLS
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from lessons.workshop.setup import atomic_write

# Browsers resolve *.localhost to this machine. Lesson 17 uses lessons.localhost as another site.
LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "lessons.localhost"]
# Keep this text: with another key all logins end, and the transcripts of lesson 21 change.
LOCAL_KEY = "known to everybody, so good for this machine alone"
MIN_KEY_LENGTH, MIN_KEY_CHARACTERS = 50, 5  # as in Django's check security.W009
NEW_KEY = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'


class SettingsError(SystemExit, ImproperlyConfigured):
    """Ends every command with one line; Django's own exception alone would show a traceback.

    manage.py then exits with 2. `lesson check` uses 1 for a red exercise.
    """


class Mode(StrEnum):
    LOCAL = "local"
    SHARED = "shared"
    DEPLOYED = "deployed"
    ROOM = "room"

    @property
    def is_workshop(self) -> bool:
        """Whether events are recorded, students' code runs and demos may block."""
        return self in {Mode.LOCAL, Mode.SHARED}


_KEY_FILES = {Mode.SHARED: "secret_key", Mode.ROOM: "room_key"}


@dataclass(frozen=True)
class Access:
    """What the environment says. Raises SettingsError where that would not be safe."""

    mode: Mode
    allowed_hosts: list[str]
    secret_key: str
    https: str  # "" for none, "proxy", or the number of Daphne's port

    @classmethod
    def read(cls, environ: Mapping[str, str], state_dir: Path) -> "Access":
        mode = _read_mode(environ)
        hosts = _read_hosts(environ, mode)
        return cls(mode, hosts, _read_key(environ, mode, state_dir), _read_https(environ, mode))


def _read_mode(environ) -> Mode:
    name = environ.get("DJANGO_MODE", "").strip().lower() or Mode.LOCAL
    if name not in list(Mode):
        raise SettingsError(f"There is no DJANGO_MODE {name!r}. Set it to {' or '.join(Mode)}.")
    mode = Mode(name)
    debug = environ.get("DJANGO_DEBUG", "").strip().lower()
    if debug and (debug in {"0", "false", "no", "off"}) is (mode is Mode.LOCAL):
        raise SettingsError(
            f"DJANGO_DEBUG={debug} does not fit: DEBUG is on in the mode local alone, and this "
            f"is {mode}. Unset DJANGO_DEBUG, and choose the mode with DJANGO_MODE."
        )
    return mode


def _read_hosts(environ, mode: Mode) -> list[str]:
    names = [name.strip() for name in environ.get("DJANGO_ALLOWED_HOSTS", "").split(",")]
    named = [name for name in names if name and name not in LOOPBACK]
    if any("*" in name or not name.strip(".") for name in named):
        raise SettingsError(
            'DJANGO_ALLOWED_HOSTS must not contain "*": then a page of any site could use the '
            "sockets. Write the names under which browsers reach this server."
        )
    if mode is Mode.LOCAL and named:
        raise SettingsError(
            f"DJANGO_ALLOWED_HOSTS names {named[0]}, but the mode local serves this machine alone. "
            "Set DJANGO_MODE=shared for a workshop behind a token, or deployed for the public."
        )
    if mode is Mode.DEPLOYED and not named:
        raise SettingsError(
            "Set DJANGO_ALLOWED_HOSTS to the names under which browsers reach this server, "
            "such as chat.example.org. The mode deployed has no default."
        )
    return named if mode is Mode.DEPLOYED else [*LOOPBACK, *named]


def _read_key(environ, mode: Mode, state_dir: Path) -> str:
    """The secret key. Who knows it can sign in as any user, and knows a shared server's token."""
    key = environ.get("DJANGO_SECRET_KEY", "")
    if mode is Mode.LOCAL:
        return key or LOCAL_KEY
    if not key and mode in _KEY_FILES:
        key = _stored_key(state_dir / _KEY_FILES[mode])
    if (
        len(key) < MIN_KEY_LENGTH
        or len(set(key)) < MIN_KEY_CHARACTERS
        or key == LOCAL_KEY
        or key.startswith("django-insecure-")
    ):
        found = "is too easy to guess" if key else "is not set"
        raise SettingsError(
            f"DJANGO_SECRET_KEY {found}. Other people can reach this server, and a person who "
            f"knows its key can sign in as any user. Create one with: {NEW_KEY}"
        )
    return key


def _stored_key(file: Path) -> str:
    """The key in the file. The first start creates it, and only this user may read it."""
    try:
        with suppress(FileExistsError):
            atomic_write.create(file, secrets.token_urlsafe(50).encode(), permissions=0o600)
        return file.read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"{atomic_write.explain_os_error(error)} Or set DJANGO_SECRET_KEY to a key. "
            f"Create one with: {NEW_KEY}"
        ) from None


def _read_https(environ, mode: Mode) -> str:
    https = environ.get("DJANGO_HTTPS", "").strip().lower()
    if https and https != "proxy" and not https.isdecimal():
        raise SettingsError(
            f"DJANGO_HTTPS is {https!r}. Set it to proxy, or to the number of the port at which "
            "Daphne has TLS, such as 443."
        )
    if mode is Mode.DEPLOYED and not https:
        raise SettingsError(
            "Set DJANGO_HTTPS, because the mode deployed serves HTTPS only: to proxy, if a proxy "
            "ends TLS and sets X-Forwarded-Proto, or to the port at which Daphne has TLS."
        )
    return https
