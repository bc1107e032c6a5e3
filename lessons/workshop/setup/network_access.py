"""The mode of this server: who may reach it, and what it offers. Everything else asks this module.

|                      | local           | shared            | room                        |
| -------------------- | --------------- | ----------------- | --------------------------- |
| for                  | you             | you and a few     | a class                     |
| reached from         | this machine    | other machines    | other machines              |
| a client needs       | nothing         | the token         | an account, or a class code |
| lessons and demos    | yes             | yes               | no                          |
| accounts             | password = name | another password  | instructors                 |
| DEBUG                | on              | off               | off                         |
| the SQLite file      | db.sqlite3      | shared.sqlite3    | room.sqlite3                |

The settings read the mode once, from these environment variables:

DJANGO_MODE           local (the default), shared or room
DJANGO_ALLOWED_HOSTS  the names under which browsers reach the server, with commas between them
DJANGO_SECRET_KEY     a shared workshop and a room make their own key, if this is not set
DJANGO_HTTPS          `proxy` if a proxy ends TLS, and sets X-Forwarded-Proto and X-Forwarded-For
"""

import ipaddress
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


def is_loopback(host: str | None) -> bool:
    """Whether only this machine reaches what listens at this name or address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


class SettingsError(SystemExit, ImproperlyConfigured):
    """Ends every command with one line; Django's own exception alone would show a traceback.

    manage.py then exits with 2. `lesson check` uses 1 for a red exercise.
    """


class Mode(StrEnum):
    LOCAL = "local"
    SHARED = "shared"
    ROOM = "room"


@dataclass(frozen=True)
class Access:
    """What the environment says. Raises SettingsError where that would not be safe."""

    mode: Mode
    allowed_hosts: list[str]
    secret_key: str
    is_behind_proxy: bool  # a proxy ends TLS

    @classmethod
    def read(cls, environ: Mapping[str, str], state_dir: Path) -> "Access":
        name = environ.get("DJANGO_MODE", "").strip().lower() or Mode.LOCAL
        if name not in list(Mode):
            raise SettingsError(f"There is no DJANGO_MODE {name!r}. Set it to {' or '.join(Mode)}.")
        https = environ.get("DJANGO_HTTPS", "").strip().lower()
        if https not in ("", "proxy"):
            raise SettingsError(f"DJANGO_HTTPS is {https!r}. Let a proxy end TLS: set it to proxy.")
        mode = Mode(name)
        hosts = _read_hosts(environ, mode)
        return cls(mode, hosts, _read_key(environ, mode, state_dir), https == "proxy")


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
            "Set DJANGO_MODE=shared for a workshop behind a token."
        )
    return [*LOOPBACK, *named]


def _read_key(environ, mode: Mode, state_dir: Path) -> str:
    """The secret key. Who knows it can sign in as any user, and knows a shared server's token."""
    key = environ.get("DJANGO_SECRET_KEY", "")
    if mode is Mode.LOCAL:
        return key or LOCAL_KEY
    key = key or _stored_key(state_dir / {"shared": "secret_key", "room": "room_key"}[mode])
    is_short = len(key) < MIN_KEY_LENGTH or len(set(key)) < MIN_KEY_CHARACTERS
    if is_short or key == LOCAL_KEY or key.startswith("django-insecure-"):
        raise SettingsError(
            "DJANGO_SECRET_KEY is too easy to guess. Other people can reach this server, and a "
            f"person who knows its key can sign in as any user. Create one with: {NEW_KEY}"
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
