"""The identity that a page's test client uses.

It is part of the URL, because a browser cannot set the headers of a WebSocket. A client may only
use the accounts that the workshop creates, and only for a page whose feed belongs to its session.
"""

from importlib import import_module
from typing import Annotated, Literal
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from msgspec import Meta, Struct, ValidationError, convert, field

from lessons.workshop.course.lesson_index import ACCOUNTS, ANONYMOUS, MAX_CLIENTS
from lessons.workshop.page.live.feed import session_key_of

# A page cannot drop a connection without a close frame. It closes with this code instead.
LOST_CONNECTION = 4999
_REJECTIONS = {
    "websocket": [{"type": "websocket.close"}],
    "http": [
        {"type": "http.response.start", "status": 403},
        {"type": "http.response.body", "body": b""},
    ],
}


class InvalidIdentity(ValueError):
    """An identity that no client of a page may use."""


class ClientIdentity(Struct, frozen=True, forbid_unknown_fields=True):
    """A client's number on its page, its account and its origin. None leaves the browser's own."""

    client: Literal[tuple(map(str, range(1, MAX_CLIENTS + 1)))]
    account: Literal[(ANONYMOUS, *ACCOUNTS)] | None = field(default=None, name="as")
    origin: Annotated[str, Meta(pattern=r"\A[ -~]*\Z")] | None = None

    @classmethod
    def parse(cls, options: str) -> "ClientIdentity":
        """From `client=2&as=student&origin=http://a.test`. Raises InvalidIdentity."""
        try:
            return convert(dict(parse_qsl(options, keep_blank_values=True)), cls)
        except ValidationError as error:
            raise InvalidIdentity(str(error)) from None

    async def headers(self, scope: dict) -> list[tuple[bytes, bytes]]:
        """The headers that a client with this identity would send. Raises InvalidIdentity."""
        if self.account is None and self.origin is None:
            return scope["headers"]
        if scope["type"] != "websocket":
            raise InvalidIdentity(scope["type"])
        replaced = {}
        if self.account is not None:
            replaced[b"cookie"] = await self._cookie(scope)
        if self.origin is not None:
            replaced[b"origin"] = self.origin.encode()
        kept = [header for header in scope["headers"] if header[0].lower() not in replaced]
        return kept + [header for header in replaced.items() if header[1]]

    async def _cookie(self, scope: dict) -> bytes:
        if self.account == ANONYMOUS:
            return b""
        key = await _session_for(self.account, session_key_of(scope))
        return f"{settings.SESSION_COOKIE_NAME}={key}".encode()


@database_sync_to_async
def _session_for(account: str, own_key: str) -> str:
    """Key of the session in which `account` is logged in, for the browser with session `own_key`.

    All pages of that browser use the same one, as in a real browser. Its key is stored in the
    browser's own session; after it has ended, a new one replaces it. Creating it sends no login
    signal, so no other socket is closed because of it.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    own = store(own_key)
    user = get_user_model().objects.filter(username=account, is_active=True).first()
    if user is None or not own.exists(own_key):
        raise InvalidIdentity(account)
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


async def reject(scope, receive, send) -> None:
    """Reject a client of a page: its handshake or its HTTP request."""
    await receive()
    for message in _REJECTIONS[scope["type"]]:
        await send({**message})


def with_lost_connections(receive):
    """`receive`, which reports a lost connection as Daphne does: with code 1006."""

    async def receive_event():
        message = await receive()
        if message["type"] == "websocket.disconnect" and message.get("code") == LOST_CONNECTION:
            return {**message, "code": 1006}
        return message

    return receive_event
