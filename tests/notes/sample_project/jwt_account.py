"""A consumer whose client sends a JSON Web Token in its first frame."""

import asyncio
import time

import jwt
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

KEY = "a secret of at least 32 bytes, which all services share"
FIRST_FRAME_TIMEOUT = 5  # seconds


class Account(AsyncConsumer):
    user = timer = None
    is_closed = False

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.timer is not None:
                self.timer.cancel()

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.timer = asyncio.create_task(self.close_after(FIRST_FRAME_TIMEOUT))

    async def websocket_receive(self, event):
        if self.is_closed:
            return
        if self.user is None:
            self.timer.cancel()
            await self.log_in(event.get("text") or "")
        else:
            await self.send({"type": "websocket.send", "text": self.user})

    async def log_in(self, token):
        """Check the JWT of the first frame. The connection ends when it expires."""
        try:
            claims = jwt.decode(
                token,
                KEY,
                algorithms=["HS256"],
                audience="account",
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWTError:
            await self.close_after(0)
            return
        self.user = claims["sub"]
        # The time that is left counts, not the whole lifetime: the token may have waited.
        self.timer = asyncio.create_task(self.close_after(claims["exp"] - time.time()))
        await self.send({"type": "websocket.send", "text": f"hello {self.user}"})

    async def close_after(self, seconds):
        await asyncio.sleep(seconds)
        self.is_closed = True
        await self.send({"type": "websocket.close", "code": 4401})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
