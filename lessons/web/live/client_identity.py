"""Whom a page's client passes for: told in the watched path, since a page cannot set its headers.

The seeded accounts only, and only for a page whose feed belongs to the session that asks.
"""

from dataclasses import dataclass
from importlib import import_module
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)

from lessons.core.accounts import ACCOUNTS
from lessons.core.catalogue import MOST_CLIENTS, NOBODY
from lessons.web.live.page_socket import session_key_of

VANISHED = 4999  # a page's client closes with it in place of going without a word, which it cannot


class NoGuise(ValueError):
    """What nobody here may pass for."""


@dataclass(frozen=True)
class ClientIdentity:
    """A client's number on its page; who it is, and whose page: None is as the browser says."""

    client: int
    account: str | None = None
    origin: str | None = None

    @classmethod
    def read(cls, options: str) -> "ClientIdentity":
        """From `client=2&as=student&origin=http://a.test`. Raises NoGuise."""
        told = dict(parse_qsl(options, keep_blank_values=True))
        client, account, origin = (told.pop(name, None) for name in ("client", "as", "origin"))
        if told or client not in map(str, range(1, MOST_CLIENTS + 1)):
            raise NoGuise(options)
        if account not in (None, NOBODY, *ACCOUNTS):
            raise NoGuise(account)
        if origin is not None and not (origin.isascii() and origin.isprintable()):
            raise NoGuise(origin)
        return cls(int(client), account, origin)

    async def headers(self, scope: dict) -> list[tuple[bytes, bytes]]:
        """The connection's headers, as those of a client that is what it says. Raises NoGuise."""
        if self.account is None and self.origin is None:
            return scope["headers"]
        if scope["type"] != "websocket":
            raise NoGuise(scope["type"])
        replaced = {}
        if self.account is not None:
            replaced[b"cookie"] = await self._cookie(scope)
        if self.origin is not None:
            replaced[b"origin"] = self.origin.encode()
        kept = [header for header in scope["headers"] if header[0].lower() not in replaced]
        return kept + [header for header in replaced.items() if header[1]]

    async def _cookie(self, scope: dict) -> bytes:
        if self.account == NOBODY:
            return b""
        key = await _session_of(self.account, session_key_of(scope))
        return f"{settings.SESSION_COOKIE_NAME}={key}".encode()


@database_sync_to_async
def _session_of(account: str, own_key: str) -> str:
    """Key of the session in which `account` has logged in, for the browser that has `own_key`.

    One for all its pages and servers, as a browser has one; kept in the browser's own session, and
    made anew once it has ended. It is no login: nobody is told, and no other socket closes.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    own = store(own_key)
    user = get_user_model().objects.filter(username=account, is_active=True).first()
    if user is None or not own.exists(own_key):
        raise NoGuise(account)
    name = f"as {account}"
    session = store(own.get(name))
    if session.get(HASH_SESSION_KEY) != user.get_session_auth_hash():
        session = store()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        own[name] = session.session_key
        own.save()
    return session.session_key


def with_lost_connections(receive):
    """`receive`, with what Daphne tells of a lost TCP connection where a client has vanished."""

    async def received():
        message = await receive()
        if message["type"] == "websocket.disconnect" and message.get("code") == VANISHED:
            return {**message, "code": 1006}
        return message

    return received
