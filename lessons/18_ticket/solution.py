"""Lesson 18, solved: a stage door, for clients that have no cookie."""

import secrets

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.cache import cache

SALT = "stage door"
SECONDS = 30


def issue(user):
    """Make a ticket for this user, who has just logged in."""
    number = secrets.token_urlsafe(16)
    cache.set(f"ticket-{number}", True, SECONDS)  # unused; every process sees it
    return signing.dumps([user.pk, number], salt=SALT)


def ticket_in(scope):
    """Return the ticket that the client has sent, or ""."""
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin1")
    scheme, _, ticket = header.partition(" ")
    return ticket.strip() if scheme == "Ticket" else ""


class TicketMiddleware:
    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        user = await self.holder_of(ticket_in(scope))
        if user is None:
            await send({"type": "websocket.close"})
            return
        # A copy: the scope belongs to the server and to outer middlewares.
        await self.inner({**scope, "user": user}, receive, send)

    async def holder_of(self, ticket):
        """Return the user of a valid ticket, or None."""
        try:
            user_id, number = signing.loads(ticket, salt=SALT, max_age=SECONDS)
        except signing.BadSignature:
            return None
        # One atomic step: of two clients at the same moment, only one finds the key.
        if not await cache.adelete(f"ticket-{number}"):
            return None
        return await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()


class StageDoor(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        text = f"Welcome, {self.scope['user'].get_username()}."
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


# What asgi.py routes to.
application = TicketMiddleware(StageDoor.as_asgi())
