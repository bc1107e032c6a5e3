"""Lesson 24: a kiosk for apps that have no cookie.

A token frame is a text frame such as {"token": "WzFd:1vBv5c:Xn0"}. token_in() reads its token, and
holder_of() checks it.

- The first frame must have a valid token, and come within 5 seconds. Otherwise, close with 4401. A
  frame that came in time counts, even if holder_of() takes long.
- Answer this and each later frame of any kind with {"user": "ada"}: the user's name.
- A later token frame without a valid token closes with 4401, and one of another user with 4403.
- Of two valid tokens, the one that was made later counts. When that token is 60 seconds old, send
  {"error": "expired"}. From then on, frames without a token get this answer, too. 10 seconds later,
  close with 4401, unless a newer valid token has come.

After your close, send nothing. Do not log tokens.
"""

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


# The checks look for this name and this base class: keep both.
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

    async def websocket_receive(self, event):
        if self.is_closed:
            return  # the client sent this frame before it received the close
        # TODO 1: check the token of the first frame, and of each later token frame.
        # TODO 2: start a task that sends the error when the token expires, and then closes.
        await self.reply({"user": "nobody"})

    async def reply(self, value):
        await self.send({"type": "websocket.send", "text": json.dumps(value)})

    async def close(self, code):
        self.is_closed = True
        await self.send({"type": "websocket.close", "code": code})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
