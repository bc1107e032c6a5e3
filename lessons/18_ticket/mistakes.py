"""Lesson 18: wrong stage doors, each with the diagnosis that it must get."""

import base64
import json
import logging
import secrets
from urllib.parse import parse_qs

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.core.cache import cache

SALT = "stage door"
SECONDS = 30
logger = logging.getLogger(__name__)
issued = set()


def issue(user):
    number = secrets.token_urlsafe(16)
    cache.set(f"ticket-{number}", True, SECONDS)
    issued.add(number)
    return signing.dumps([user.pk, number], salt=SALT)


def ticket_in(scope):
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin1")
    scheme, _, ticket = header.partition(" ")
    return ticket.strip() if scheme == "Ticket" else ""


class StageDoor(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        text = f"Welcome, {self.scope['user'].get_username()}."
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class RightDoor:
    """What the mistakes below have right. Each is in front of the same consumer."""

    def __init__(self, inner):
        self.inner = inner

    def __init_subclass__(cls):
        cls.application = cls(StageDoor.as_asgi())

    async def __call__(self, scope, receive, send):
        user = await self.holder_of(ticket_in(scope))
        if user is None:
            await send({"type": "websocket.close"})
            return
        await self.hand_on(scope, user, receive, send)

    async def hand_on(self, scope, user, receive, send):
        await self.inner({**scope, "user": user}, receive, send)

    async def holder_of(self, ticket):
        try:
            user_id, number = self.read(ticket)
        except signing.BadSignature:
            return None
        if not await self.claim(number):
            return None
        return await self.user(user_id)

    def read(self, ticket):
        return signing.loads(ticket, salt=SALT, max_age=SECONDS)

    async def claim(self, number):
        return await cache.adelete(f"ticket-{number}")

    async def user(self, user_id):
        return await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()


class ChecksOnlyTheSignature(RightDoor):
    """Believes that a signed ticket cannot be sent twice."""

    diagnosis = "ticket-used-twice"

    async def claim(self, number):
        return True


class ReadsThenDeletes(RightDoor):
    """Reads the key, then deletes it. Another process reads it between the two."""

    diagnosis = "ticket-raced"

    async def claim(self, number):
        if not await cache.aget(f"ticket-{number}"):
            return False
        await cache.adelete(f"ticket-{number}")
        return True


class ReadsAndDeletesInOneThread(RightDoor):
    """Believes that one thread is a lock. Another process has another thread."""

    diagnosis = "ticket-raced"

    @database_sync_to_async
    def claim(self, number):
        if f"ticket-{number}" in cache:
            cache.delete(f"ticket-{number}")
            return True
        return False


class KeepsUsedTicketsInASet(RightDoor):
    """Keeps the used tickets in a set. Each process has another set."""

    diagnosis = "ticket-used-elsewhere"

    def __init__(self, inner):
        super().__init__(inner)
        self.used = set()

    async def claim(self, number):
        if number in self.used:
            return False
        self.used.add(number)
        return True


class KeepsUnusedTicketsInASet(RightDoor):
    """Keeps the unused tickets in a set. The client may connect to another process."""

    diagnosis = "ticket-kept-in-process"

    async def claim(self, number):
        if number not in issued:
            return False
        issued.remove(number)
        return await cache.adelete(f"ticket-{number}")


class ForgetsTheAge(RightDoor):
    """Believes that loads() checks the age without max_age."""

    diagnosis = "ticket-too-old"

    def read(self, ticket):
        return signing.loads(ticket, salt=SALT)


class GivesTooLittleTime(RightDoor):
    """Accepts a ticket for 3 seconds only."""

    diagnosis = "ticket-refused-early"

    def read(self, ticket):
        return signing.loads(ticket, salt=SALT, max_age=SECONDS // 10)


class SkipsTheSignature(RightDoor):
    """Believes that base64 is secret. Any client can read and write it."""

    diagnosis = "ticket-unsigned"

    def read(self, ticket):
        body = ticket.partition(":")[0]
        try:
            return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except ValueError:
            raise signing.BadSignature from None


class DeletesFirst(RightDoor):
    """Deletes the key before it has checked the signature."""

    diagnosis = "ticket-spent-by-forger"

    async def holder_of(self, ticket):
        body = ticket.partition(":")[0]
        try:
            _, number = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except ValueError:
            return None
        if not await self.claim(number):
            return None
        try:
            user_id, _ = self.read(ticket)
        except signing.BadSignature:
            return None
        return await self.user(user_id)


class CatchesNothing(RightDoor):
    """Believes that signing.loads() returns None for an invalid ticket."""

    diagnosis = "ticket-forged"

    async def holder_of(self, ticket):
        user_id, number = self.read(ticket)
        return await self.user(user_id) if await self.claim(number) else None


class TrustsTheQuery(RightDoor):
    """Checks the ticket, and takes the user's name from the URL."""

    diagnosis = "ticket-of-another"

    async def hand_on(self, scope, user, receive, send):
        query = parse_qs(scope["query_string"].decode())
        if "user" in query:
            user.username = query["user"][0]
        await super().hand_on(scope, user, receive, send)


class KeepsTheUserOnTheMiddleware(RightDoor):
    """Keeps the user on the middleware, which serves all connections."""

    diagnosis = "ticket-of-another"

    async def __call__(self, scope, receive, send):
        self.holder = await self.holder_of(ticket_in(scope))
        if self.holder is None:
            await send({"type": "websocket.close"})
            return
        # During this await, another client connects.
        await get_user_model().objects.acount()
        await self.hand_on(scope, self.holder, receive, send)


class RejectsAndGoesOn(RightDoor):
    """Forgets the return. It rejects the client, and calls the consumer anyway."""

    diagnosis = "answered-after-refusal"

    async def __call__(self, scope, receive, send):
        user = await self.holder_of(ticket_in(scope))
        if user is None:
            await send({"type": "websocket.close"})
            user = AnonymousUser()
        await self.hand_on(scope, user, receive, send)


class UsesAget(RightDoor):
    """Uses aget(), which raises an exception if the user was deleted."""

    diagnosis = "missing-row"

    async def user(self, user_id):
        return await get_user_model().objects.aget(pk=user_id, is_active=True)


class IgnoresIsActive(RightDoor):
    """Believes that a query does not find deactivated users."""

    diagnosis = "deactivated-let-in"

    async def user(self, user_id):
        return await get_user_model().objects.filter(pk=user_id).afirst()


class LogsTheTicket(RightDoor):
    """Logs the ticket. A reader of the log can use it."""

    diagnosis = "secret-logged"

    async def holder_of(self, ticket):
        logger.info("a client came with %s", ticket)
        return await super().holder_of(ticket)


class WritesIntoTheScope(RightDoor):
    """Writes the user into the scope of the server."""

    diagnosis = "scope-mutated"

    async def hand_on(self, scope, user, receive, send):
        scope["user"] = user
        await self.inner(scope, receive, send)
