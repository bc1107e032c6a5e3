"""Lesson 24: a kiosk for apps that have no cookie.

The kiosk accepts every client at once. The first frame says who the client is. It is a token
frame, a text frame such as {"token": "WzFd:1vBv5c:Xn0"}, which token_in() reads. A token is valid
if issue() made it less than 60 seconds ago, and its user exists and is active.

- The first frame must come within 5 seconds after the accept. If none comes, or one without a valid
  token, the kiosk closes with code 4401.
- The kiosk answers this frame and every later one, text or binary, with {"user": "ada"}: the name
  of the user.
- Later, the client may send a newer token at any time. Of two valid tokens, the one that was made
  later counts. A token frame without a valid token closes with 4401. A valid token of another user
  closes with 4403: no token changes the user of a connection.
- 60 seconds after the token was made, it expires. At this moment the kiosk sends
  {"error": "expired"}. From then on it answers each frame that is not a token frame with
  {"error": "expired"}. 10 seconds after the expiry it closes with 4401, unless a frame with a newer
  valid token has come. With such a token, the kiosk goes on as before.

After its close, the kiosk sends nothing. After the end of the connection, no task is left. No token
is logged, printed or put into an exception. Do not change issue() or token_in().
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


class Kiosk(AsyncConsumer):
    user = None  # until the first frame
    timer = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.timer is not None:
                self.timer.cancel()

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        # TODO 1: close with 4401 if no first frame comes in time.

    async def websocket_receive(self, event):
        # TODO 2: check the token of the first frame, and of each later token frame.
        # TODO 3: tell the client when its token expires, and close if no newer one comes.
        await self.reply({"user": "nobody"})

    async def reply(self, value):
        await self.send({"type": "websocket.send", "text": json.dumps(value)})

    async def close(self, code):
        await self.send({"type": "websocket.close", "code": code})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
