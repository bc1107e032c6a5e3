"""Checks that need what requirements.txt installs: packages, settings, database, Redis.

    python -m lessons.workshop.terminal.doctor.project_checks

The doctor starts this module with the Python that runs the commands. It prints a list of rows as
JSON. In a process like this, settings that refuse to load end nothing but this process.
"""

import json
import os
import re
import sys
import traceback
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from lessons.workshop.setup import external_programs, virtual_environment
from lessons.workshop.terminal.doctor.commands import MANAGE, REINSTALL, move_away, unset_variable
from lessons.workshop.terminal.doctor.report import OK, OPTIONAL, WRONG, Row
from lessons.workshop.terminal.doctor.system_checks import run_program

MAIN_PACKAGES = ("django", "channels", "daphne", "channels-redis")
DATABASE_TIMEOUT = 1  # seconds; PostgreSQL's library makes 2 of it
REDIS_TIMEOUT = 1.0


def main() -> None:
    rows = [packages()]
    if rows[0].state != WRONG:
        rows += _settings_and_more()
    json.dump(rows, sys.stdout)


def packages() -> Row:
    """Whether the installed versions are those that requirements.txt locks."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return _incomplete("packaging is not installed.")
    missing, different = [], []
    for requirement in map(Requirement, virtual_environment.locked_lines()):
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            missing.append(requirement.name)
            continue
        if version not in requirement.specifier:
            different.append(f"{requirement.name} {version} ({requirement.specifier})")
    if missing:
        return _incomplete(f"Not installed: {', '.join(missing)}.")
    if different:
        text = f"Different from requirements.txt: {', '.join(different)}."
        return (
            _incomplete(text)
            if virtual_environment.is_inside()
            else Row("Packages", OPTIONAL, text)
        )
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in MAIN_PACKAGES)
    return Row("Packages", OK, f"As locked in requirements.txt: {versions}.")


def _incomplete(text: str) -> Row:
    return Row("Packages", WRONG, f"{text} Create .venv again:", cure=REINSTALL)


def _settings_and_more() -> list[Row]:
    """The rows that follow from the settings, or one that says why they do not load."""
    try:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
        import django

        django.setup()
    except SystemExit as refused:  # SettingsError
        return [_refused(str(refused))]
    except Exception as error:
        return [Row("Settings", WRONG, _explain(error))]
    rows = [_guarded(check) for check in (mode, key, database, accounts, redis)]
    return [row for row in rows if row is not None]


def _refused(reason: str) -> Row:
    """What the settings say. A command at the end of it stays in one piece."""
    parts = re.fullmatch(r"(.*:) ((?:python3|py|\.venv\S+) .+)", reason)
    text, command = parts.groups() if parts else (reason, "")
    return Row("Settings", WRONG, text, cure=command)


def _guarded(check) -> Row | None:
    try:
        return check()
    except Exception as error:
        return Row(check.__name__.capitalize(), WRONG, _explain(error))


def _explain(error: Exception) -> str:
    """An error that no check expects: what it is, and where."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"


def mode() -> Row:
    """Who may reach the server, and what follows from that."""
    from django.conf import settings

    from lessons.workshop.setup.network_access import Mode

    others = [name for name in settings.ALLOWED_HOSTS if name not in settings.LOOPBACK]
    facts = [
        {
            Mode.LOCAL: "local, for this machine only",
            Mode.SHARED: "shared, for those who have the token that `workshop` prints",
            Mode.DEPLOYED: "deployed, without exercises and recorded events",
            Mode.ROOM: "room, for the boards and the workshops of classes",
        }[settings.MODE],
        f"hosts {', '.join(others or settings.LOOPBACK)}",
        _https(settings.HTTPS),
        f"DEBUG {'on' if settings.DEBUG else 'off'}",
    ]
    if settings.MODE is Mode.LOCAL:
        facts.append("student and instructor have their names as passwords")
    return Row("Mode", OK, f"{'; '.join(facts)}.")


def _https(https: str) -> str:
    if not https:
        return "no HTTPS"
    return "HTTPS ends at a proxy" if https == "proxy" else f"HTTPS at port {https}"


def key() -> Row | None:
    """Where the secret key comes from, and whether other users can read it."""
    from django.conf import settings

    from lessons.workshop.setup.network_access import Mode

    file = settings.STATE_DIR / "secret_key"
    if settings.MODE is Mode.LOCAL:
        return None
    if os.environ.get("DJANGO_SECRET_KEY"):
        return Row("Key", OK, "From DJANGO_SECRET_KEY.")
    if os.name == "posix" and file.stat().st_mode & 0o077:
        text = f"Other users of this machine can read {file}, so they can sign in as any user."
        return Row("Key", WRONG, text, cure=f'chmod 600 "{file}"')
    return Row("Key", OK, f"From {_short(file)}. The token follows from it.")


def accounts() -> Row | None:
    """Whether an account has a password that everybody can guess, where others can sign in."""
    from django.conf import settings
    from django.db import DatabaseError

    from lessons.workshop.course.demo_accounts import account_with_known_password, reason_of
    from lessons.workshop.setup.network_access import Mode

    if settings.MODE is Mode.LOCAL or _sqlite_file_is_missing():
        return None
    _limit_waiting()
    try:
        name = account_with_known_password()
    except DatabaseError as error:
        return Row("Accounts", WRONG, f"Not checked, because of the database: {reason_of(error)}.")
    if name is None:
        return Row("Accounts", OK, "No account with rights has its name as password.")
    text = f"The account {name} has the password {name}, which everybody can guess."
    return Row("Accounts", WRONG, text, cure=f"{MANAGE} changepassword {name}")


def database() -> Row:
    """Whether the database answers, and whether its tables are up to date."""
    from django.conf import settings
    from django.db import DatabaseError, connection

    from lessons.workshop.course.demo_accounts import reason_of

    entry = settings.DATABASES["default"]
    is_file = entry is settings.SQLITE
    shown = _short(entry["NAME"]) if is_file else _name_of(entry)
    if _sqlite_file_is_missing():
        return _migration_row(f"{shown} does not exist yet.")
    _limit_waiting()
    try:
        count = _migrations_to_run()
    except DatabaseError as error:
        reason = reason_of(error)
        if is_file:
            text = f"{shown}: {reason}. Make its folder writable, or move the file away:"
            return Row("Database", WRONG, text, cure=move_away(shown))
        text = f"{shown}: {reason}. Start the server, correct DATABASE_URL, or unset it:"
        return Row("Database", WRONG, text, cure=unset_variable("DATABASE_URL"))
    finally:
        connection.close()
    if count:
        return _migration_row(f"{shown}, with {count} migration{'s' * (count > 1)} to run.")
    return Row("Database", OK, f"{shown}, all migrations have run.")


def _migration_row(text: str) -> Row:
    """A workshop runs migrations when it starts; a deployed server does not."""
    from django.conf import settings

    if settings.WORKSHOP:
        return Row("Database", OK, f"{text} `workshop` prepares it when it starts.")
    return Row("Database", WRONG, text, cure=f"{MANAGE} migrate")


def _sqlite_file_is_missing() -> bool:
    from django.conf import settings

    entry = settings.DATABASES["default"]
    return entry is settings.SQLITE and not Path(entry["NAME"]).exists()


def _limit_waiting() -> None:
    """Do not wait long for a lock of SQLite, or for a server."""
    from django.conf import settings
    from django.db import connection

    name = "timeout" if settings.DATABASES["default"] is settings.SQLITE else "connect_timeout"
    connection.settings_dict["OPTIONS"][name] = DATABASE_TIMEOUT


def _migrations_to_run() -> int:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _name_of(entry: dict) -> str:
    """The database of DATABASE_URL, without the user and the password."""
    host = entry["HOST"] or entry["OPTIONS"].get("host") or "localhost"
    port = f":{entry['PORT']}" if entry["PORT"] else ""
    return f"PostgreSQL at {host}{port}, database {entry['NAME']}"


def redis() -> Row:
    """Whether the server of REDIS_URL answers, or which server `cluster` would start."""
    from django.conf import settings

    return _redis_at(settings.REDIS_URL) if settings.REDIS_URL else _redis_to_start()


def _redis_at(url: str) -> Row:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry

    try:
        parts = urlsplit(url)
        shown = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
        times = {"socket_timeout": REDIS_TIMEOUT, "socket_connect_timeout": REDIS_TIMEOUT}
        with Redis.from_url(url, retry=Retry(NoBackoff(), 0), **times) as client:
            client.ping()
            version = ""
            with suppress(RedisError):  # a user of Redis may have no right to ask
                version = f"Redis {client.info('server')['redis_version']} "
    except (RedisError, ValueError) as error:
        reason = str(error).rstrip(".")
        for secret in filter(None, (parts.password, url)):
            reason = reason.replace(secret, "***")
        text = f"REDIS_URL: {reason}. Start that server, correct the URL, or unset it:"
        return Row("Redis", WRONG, text, cure=unset_variable("REDIS_URL"))
    return Row("Redis", OK, f"REDIS_URL: {version}at {shown} answers.")


def _redis_to_start() -> Row:
    from lessons.workshop.setup.redis_server import find_binaries

    needed_for = external_programs.REDIS.needed_for
    binary = next(iter(find_binaries()), None)
    if os.environ.get("REDIS_SERVER") == "":
        text = "REDIS_SERVER is empty, so none is started."
        return Row("Redis", OPTIONAL, text, needed_for, unset_variable("REDIS_SERVER"))
    if binary is None:
        command = external_programs.REDIS.how_to_install()
        return Row("Redis", OPTIONAL, "No redis-server, no REDIS_URL.", needed_for, command)
    code, output = run_program([binary, "--version"])
    version = re.search(r"v=(\S+)", output)
    if code or not version:
        first_line = output.strip().partition("\n")[0]
        text = f"{binary} does not start as a Redis server: {first_line}."
        cure = unset_variable("REDIS_SERVER") if "REDIS_SERVER" in os.environ else ""
        return Row("Redis", OPTIONAL, text, needed_for, cure)
    return Row("Redis", OK, f"`cluster` starts {version[1]} at {binary}; no REDIS_URL.")


def _short(path) -> str:
    """The path relative to the project, if it is inside."""
    path = Path(path)
    return str(
        path.relative_to(virtual_environment.PROJECT)
        if virtual_environment.PROJECT in path.parents
        else path
    )


if __name__ == "__main__":
    main()
