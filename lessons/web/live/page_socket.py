"""The recorder's feed: a page hears what the server saw of its own connections, and no others."""

import secrets

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.conf import settings
from django.http import parse_cookie
from django.utils.crypto import constant_time_compare, salted_hmac

LAYER = "wire"  # an alias of its own, so that the lessons' layer carries the lessons' messages only


def new_feed_id(session_key: str) -> str:
    """An id that cannot be guessed, and is worth nothing without the cookie of that session."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mac(nonce, session_key)}"


def group_of(feed_id: str, scope: dict) -> str | None:
    """The group of a feed; None where the id was not given to the session that presents it.

    The MAC is the group's name: a local workshop's secret key is known to everybody, and whoever
    signs somebody else's nonce for a session of their own ends up in a group of their own.
    """
    return f"feed.{feed_id.partition('.')[2]}" if is_own(feed_id, session_key_of(scope)) else None


def is_own(feed_id: str, session_key: str | None) -> bool:
    """Whether the id was given to a page of that session."""
    nonce, _, mac = feed_id.partition(".")
    return bool(session_key) and constant_time_compare(mac, _mac(nonce, session_key))


def _mac(nonce: str, session_key: str) -> str:
    return salted_hmac(__name__, f"{nonce}.{session_key}", algorithm="sha256").hexdigest()


def session_key_of(scope: dict) -> str | None:
    """From the cookie as it stands: that the MAC fits is proof enough, so no query is made."""
    cookies = dict(scope["headers"]).get(b"cookie", b"").decode("latin1")
    return parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)


class PageSocket(AsyncConsumer):
    """A socket of the page's own, beside the lesson's."""

    channel_layer_alias = LAYER

    async def dispatch(self, message):
        """Call the handler without Channels' visit to the database thread before it.

        A lesson's handler that blocks that thread is what a student wants to watch meanwhile.
        """
        await getattr(self, get_handler_name(message))(message)

    async def websocket_receive(self, event):
        """A page has nothing to say here."""


class Feed(PageSocket):
    """Sends the browser what arrives in the feed's group: texts of JSON, made by the relay."""

    async def websocket_connect(self, event):
        self.group = group_of(self.scope["url_route"]["kwargs"]["feed_id"], self.scope)
        if self.group is None:
            await self.send({"type": "websocket.close"})
            return
        # Before the accept: a page that sees its feed open misses nothing from then on.
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def feed_events(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)
        raise StopConsumer()
