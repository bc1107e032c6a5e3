"""Lesson 18: tickets, for clients that have no cookie.

A ticket is issued to a user, opens one connection, and is worth nothing after half a minute. It is
signed, so whoever makes one up, or changes one, is found out without a look into the database.
"""

import secrets
from urllib.parse import parse_qs

from django.contrib.auth import get_user_model
from django.core import signing
from django.core.cache import cache

SALT = "auth_demo.tickets"
SECONDS = 30


def issue(user):
    """A ticket for this user, who has just shown who they are."""
    number = secrets.token_urlsafe(16)
    # What is remembered is that it is unused: a cache that forgets then opens no door.
    cache.set(f"ticket-{number}", True, SECONDS)
    return signing.dumps([user.pk, number], salt=SALT)


class TicketMiddleware:
    """Puts the user whose ticket is in the URL into the scope, and refuses everyone else."""

    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        query = parse_qs(scope["query_string"].decode("latin1"))
        user = await self.holder_of(query.get("ticket", [""])[-1])
        if user is None:
            await send({"type": "websocket.close"})  # before the accept: HTTP 403
            return
        # A copy, without the ticket: what stands behind may log its scope.
        await self.inner({**scope, "user": user, "query_string": b""}, receive, send)

    async def holder_of(self, ticket):
        """The user that a ticket was issued to; None where it is not good, or not any more."""
        try:
            user_id, number = signing.loads(ticket, salt=SALT, max_age=SECONDS)
        except signing.BadSignature:  # SignatureExpired is one, too
            return None
        # One step: of two that come at once, in whichever process, one finds it there.
        if not await cache.adelete(f"ticket-{number}"):
            return None
        return await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()
