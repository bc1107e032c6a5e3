"""Lesson 18: a stage door, for clients that have no cookie.

A client sends its ticket in a header: `Authorization: Ticket eyJ...`. A ticket that issue() made
opens the door once, within 30 seconds. The consumer then finds the user of the ticket in
scope["user"]. To every other client, the application sends `websocket.close` before any accept.
Such a client has

- no ticket, or one that issue() did not make, that was changed, or that is too old;
- a ticket that another connection has used, even in another process. If two clients send the same
  ticket at the same moment, only one gets in;
- a ticket whose user was deleted or deactivated.

A changed copy does not use up the real ticket. No ticket is logged, printed or put into an
exception. Do not change the server's scope, issue() or ticket_in().
"""

import secrets

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
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
        # TODO 2: reject a client without a valid ticket. Pass on a scope with the user.
        await self.inner({**scope, "user": AnonymousUser()}, receive, send)

    async def holder_of(self, ticket):
        """Return the user of a valid ticket, or None."""
        # TODO 1: check the signature and the age, then use up the ticket. Find its user.


# The checks look for this name and this base class: keep both.
class StageDoor(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        text = f"Welcome, {self.scope['user'].get_username()}."
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


# What asgi.py routes to.
application = TicketMiddleware(StageDoor.as_asgi())
