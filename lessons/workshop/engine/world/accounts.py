"""Accounts and sessions in the database of a check."""

import itertools
from contextlib import contextmanager
from functools import cache
from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.contrib import auth
from django.contrib.auth import hashers
from django.contrib.sessions.backends import base

from ..scheduling.patches import installed

_quick_hasher = hashers.MD5PasswordHasher()
_session_numbers = itertools.count(1)


PATCHES = (
    (hashers, "get_hashers", cache(lambda: [_quick_hasher])),
    (hashers, "get_hashers_by_algorithm", cache(lambda: {_quick_hasher.algorithm: _quick_hasher})),
    (base, "get_random_string", lambda length, _: f"{next(_session_numbers):0{length}}"),
)


@contextmanager
def simple_accounts():
    """Within it, passwords are hashed quickly, and the keys of sessions are numbers from 1 on.

    A transcript may show what follows from a key.
    """
    global _session_numbers
    _session_numbers = itertools.count(1)
    with installed(PATCHES):
        yield


def get_or_create_account(name: str, **fields):
    """The account with that name. A new one has these fields.

    Accounts differ in what most code must not mind: each has a full name, and ada is not staff.
    """
    users = auth.get_user_model()
    usual = {"first_name": "Given", "last_name": "Family", "is_staff": name != "ada"}
    known = {field.name for field in users._meta.concrete_fields}
    fields = {field: value for field, value in usual.items() if field in known} | fields
    return users.objects.get_or_create(**{users.USERNAME_FIELD: name}, defaults=fields)[0]


def log_in(name: str) -> list[tuple[bytes, bytes]]:
    """The headers of a browser in which `name` is logged in. Creates the account if needed."""
    user = get_or_create_account(name)
    values = {
        auth.SESSION_KEY: str(user.pk),
        auth.BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        auth.HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    return cookie_of(values)  # the same session as login() makes, in half the time


def cookie_of(values: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of a browser that has a new session with `values`."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.update(values)
    session.save()
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.session_key}".encode())]


def change_account(name: str, fields: dict) -> None:
    """Change the account with that name, or create it.

    `password` is the new password in plain text. `permissions` and `group_permissions` replace its
    permissions, and those of its private group: lists of names as for has_perm, such as
    "auth.change_user".
    """
    user, rest = get_or_create_account(name), dict(fields)
    own, by_group = rest.pop("permissions", None), rest.pop("group_permissions", None)
    if rest:
        for field, value in rest.items():
            setattr(user, field, value)
        if "password" in rest:
            user.set_password(rest["password"])
        user.save(update_fields=list(rest))
    if own is not None:
        user.user_permissions.set(map(_permission, own))
    if by_group is not None:
        groups = apps.get_model("auth", "Group").objects
        group, _ = groups.get_or_create(name=f"group of {name}")
        group.permissions.set(map(_permission, by_group))
        user.groups.add(group)


def _permission(name: str):
    app, _, codename = name.partition(".")
    kind = {"app_label": app, "model": codename.rpartition("_")[2]}
    kinds = apps.get_model("contenttypes", "ContentType").objects
    return apps.get_model("auth", "Permission").objects.get_or_create(
        **{f"content_type__{field}": value for field, value in kind.items()},
        codename=codename,
        defaults={"content_type": lambda: kinds.get_or_create(**kind)[0]},
    )[0]
