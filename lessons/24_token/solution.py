"""Lesson 24, solved: a kiosk that knows its client by the first frame."""

import asyncio
import json
import time

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth import get_user_model
from django.core import signing

SALT = "kiosk"
LIFETIME = 60  # seconds for which a token is valid
FIRST_FRAME_TIMEOUT = 5  # seconds
REFRESH_TIMEOUT = 10  # seconds after the end of the token


def issue(user):
    """Make a token for this user, who has just logged in over HTTP."""
    return signing.dumps([user.pk, time.time()], salt=SALT)


def token_in(event):
    """Return the token of a token frame, "" if it cannot be one, or None for another frame."""
    try:
        value = json.loads(event.get("text") or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "token" not in value:
        return None
    token = value["token"]
    return token if isinstance(token, str) and token.isascii() else ""


async def holder_of(token):
    """Return the user of a valid token and the time at which it was made, or None and 0."""
    try:
        user_id, made = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None, 0
    # max_age would count from a whole second, so up to a second too early.
    if time.time() - made >= LIFETIME:
        return None, 0
    user = await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()
    return user, made


class Kiosk(AsyncConsumer):
    user = None  # until the first frame
    made = 0  # the time at which the newest token was made
    has_expired = False  # that token
    timer = None  # the one task that waits: for the first frame, or for the expiry
    is_closed = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.timer is not None:
                self.timer.cancel()

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.timer = asyncio.create_task(self.wait_for_first_frame())

    async def wait_for_first_frame(self):
        await asyncio.sleep(FIRST_FRAME_TIMEOUT)
        await self.close(4401)

    async def wait_for_newer_token(self):
        # The time that is left counts, not the whole lifetime: the token may have waited.
        await asyncio.sleep(self.made + LIFETIME - time.time())
        self.has_expired = True
        await self.reply({"error": "expired"})
        await asyncio.sleep(REFRESH_TIMEOUT)
        await self.close(4401)

    async def websocket_receive(self, event):
        if self.is_closed:
            return  # the client sent this frame before it received the close
        token = token_in(event)
        if token is not None or self.user is None:
            # The frame is in time, even if the database is slow.
            self.timer.cancel()
            user, made = await holder_of(token or "")
            if user is None:
                await self.close(4401)
                return
            if self.user is not None and user != self.user:
                await self.close(4403)
                return
            self.user, self.made, self.has_expired = user, max(made, self.made), False
            self.timer = asyncio.create_task(self.wait_for_newer_token())
        if self.has_expired:
            await self.reply({"error": "expired"})
        else:
            await self.reply({"user": self.user.get_username()})

    async def reply(self, value):
        await self.send({"type": "websocket.send", "text": json.dumps(value)})

    async def close(self, code):
        self.is_closed = True
        await self.send({"type": "websocket.close", "code": code})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
