"""The ids of feeds. A feed is what a page gets over the socket that it opens for itself.

A feed carries what the server recorded of one page's own connections, and of no others. It has an
id, which is in the page and proves that the page belongs to the browser's session.
"""

import secrets

from django.conf import settings
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare, salted_hmac

LAYER = "wire"  # a separate alias: the lessons' layer carries only the lessons' messages


def new_feed_id(session_key: str) -> str:
    """An id that cannot be guessed, and that is useless without the cookie of that session."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mac(nonce, session_key)}"


def feed_group(feed_id: str, scope: dict) -> str | None:
    """The group of a feed. None if the id was not made for the session that presents it.

    The MAC is the group's name. The secret key of a local workshop is public, so anyone can sign
    a leaked nonce for another session. Such an id leads to another group, which gets no events.
    """
    if belongs_to_session(feed_id, session_key_of(scope)):
        return f"feed.{feed_id.partition('.')[2]}"
    return None


def belongs_to_session(feed_id: str, session_key: str | None) -> bool:
    """Whether the id was made for a page of that session."""
    nonce, _, mac = feed_id.partition(".")
    return bool(session_key) and constant_time_compare(mac, _mac(nonce, session_key))


def _mac(nonce: str, session_key: str) -> str:
    return salted_hmac(__name__, f"{nonce}.{session_key}", algorithm="sha256").hexdigest()


def session_key_of(scope: dict) -> str | None:
    """The session key in the cookie. No query is needed: a MAC that matches is proof enough."""
    return cookies_of(scope).get(settings.SESSION_COOKIE_NAME)


def cookies_of(scope: dict) -> dict[str, str]:
    return parse_cookie(dict(scope["headers"]).get(b"cookie", b"").decode("latin1"))
