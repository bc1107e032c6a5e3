"""Lesson 18: tickets for clients without cookies.

A ticket belongs to one user, opens one connection, and expires after 30 seconds. It is signed, so
the server detects a forged ticket without a database query.
"""

import secrets
from urllib.parse import parse_qs

from django.contrib.auth import get_user_model
from django.core import signing
from django.core.cache import cache

SALT = "auth_demo.tickets"
MAX_AGE = 30  # seconds


def issue(user):
    """Make a ticket for this user, who has just logged in."""
    number = secrets.token_urlsafe(16)
    # The cache holds unused tickets. If the cache loses one, the ticket fails: that is safe.
    cache.set(f"ticket-{number}", True, MAX_AGE)
    return signing.dumps([user.pk, number], salt=SALT)


class TicketMiddleware:
    """Puts the ticket's user into the scope. Rejects a handshake without a valid ticket."""

    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        query = parse_qs(scope["query_string"].decode("latin1"))
        user = await self.holder_of(query.get("ticket", [""])[-1])
        if user is None:
            await send({"type": "websocket.close"})  # before the accept: HTTP 403
            return
        # Remove the ticket from the scope, because the inner application may log the scope.
        await self.inner({**scope, "user": user, "query_string": b""}, receive, send)

    async def holder_of(self, ticket):
        """Return the ticket's user, or None if the ticket is not valid any more."""
        try:
            user_id, number = signing.loads(ticket, salt=SALT, max_age=MAX_AGE)
        except signing.BadSignature:  # SignatureExpired is a subclass
            return None
        # delete() is one atomic step: if a ticket is used twice, only one call finds it.
        if not await cache.adelete(f"ticket-{number}"):
            return None
        return await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()
