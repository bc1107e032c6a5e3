"""Feeds. A feed is what a page gets over the socket that it opens for itself.

A feed carries what the server recorded of one page's own connections, and of no others. It has an
id, which is in the page and proves that the page belongs to the browser's session.
"""

import asyncio
import secrets
from weakref import WeakValueDictionary

from django.conf import settings
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare, salted_hmac


class Feed:
    """What one page receives.

    It needs no channel layer: the page's socket and its recorded connections are in one process,
    and the lessons' layer carries only the lessons' messages.
    """

    def __init__(self):
        self.sockets: set[asyncio.Queue[dict]] = set()  # what each socket of the page sends next

    def join(self) -> asyncio.Queue[dict]:
        """What is posted from now on, for a socket."""
        messages: asyncio.Queue[dict] = asyncio.Queue()
        self.sockets.add(messages)
        return messages

    def post(self, message: dict) -> None:
        """Send JSON values to the page. Call this in the event loop."""
        for messages in self.sockets:
            messages.put_nowait(message)


# By the MAC in the id. A feed exists as long as a socket or a recorded connection uses it.
_feeds: WeakValueDictionary[str, Feed] = WeakValueDictionary()


def new_feed_id(session_key: str) -> str:
    """An id that cannot be guessed, and that is useless without the cookie of that session."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mac(nonce, session_key)}"


def find_feed(feed_id: str, scope: dict) -> Feed | None:
    """The feed with this id. None if the id was not made for the session that presents it.

    The secret key of a local workshop is public, so anyone can sign a leaked nonce for another
    session. Such an id has another MAC. It leads to another feed, which gets no events.
    """
    if not belongs_to_session(feed_id, session_key_of(scope)):
        return None
    return _feeds.setdefault(feed_id.partition(".")[2], Feed())


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
