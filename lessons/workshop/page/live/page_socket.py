"""The sockets that a page opens for itself, beside its lesson's, and the ids of their feeds.

A feed carries what the server recorded of one page's own connections, and of no others. It has an
id, which is in the page and proves that the page belongs to the browser's session.
"""

import asyncio
import logging
import secrets
from collections.abc import Coroutine

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.conf import settings
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare, salted_hmac

LAYER = "wire"  # a separate alias: the lessons' layer carries only the lessons' messages
FAILURE_PAUSE = 2.0  # seconds until a page connects again after an exception, which may stay

log = logging.getLogger(__name__)


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


class PageSocket(AsyncConsumer):
    """A socket that the page opens for itself, beside the lesson's."""

    channel_layer_alias = LAYER

    async def dispatch(self, message):
        """Call the handler at once. Channels would first go through the database thread.

        A lesson's handler may block that thread, and the student wants to see that.
        """
        await getattr(self, get_handler_name(message))(message)

    async def websocket_receive(self, event):
        """Ignore the frame: a page has nothing to send here."""


class NewsSocket(PageSocket):
    """Sends a page the news in a task, from `start` until the page has gone."""

    task = None

    def start(self, news: Coroutine) -> None:
        self.task = asyncio.create_task(self._send_news(news))

    async def _send_news(self, news: Coroutine) -> None:
        """Run `news`. After an exception, close the socket: the page then connects again."""
        try:
            await news
        except Exception:
            log.exception("%s cannot send its news to a page", type(self).__name__)
            await asyncio.sleep(FAILURE_PAUSE)
            await self.send({"type": "websocket.close"})

    async def websocket_disconnect(self, event):
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        raise StopConsumer
