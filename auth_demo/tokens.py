"""Lesson 24: a token among the subprotocols, for pages and apps without cookies.

A page cannot set the headers of a WebSocket, except for one: its subprotocols.

    new WebSocket(url, ["mailbox.v1", "token." + token])

A token belongs to one user, and works for ten minutes, as often as its client likes. The server
stores no tokens. So it cannot take one back: a token must expire soon.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth import get_user_model
from django.core import signing

MAX_AGE = 600  # seconds
PROTOCOL = "mailbox.v1"
PREFIX = "token."

# A subprotocol must not contain a colon, which signing.dumps() writes between its parts.
signer = signing.TimestampSigner(salt="auth_demo.tokens", sep=".")


def issue(user):
    """Make a token for this user, who has just logged in."""
    return signer.sign_object([user.pk])


def token_in(subprotocols):
    """Return the token that the client has sent, or ""."""
    found = [name for name in subprotocols if name.startswith(PREFIX)]
    return found[0].removeprefix(PREFIX) if found else ""


async def holder_of(token):
    """Return the token's user, or None if the token is not valid."""
    try:
        (user_id,) = signer.unsign_object(token, max_age=MAX_AGE)
    except signing.BadSignature:  # SignatureExpired is a subclass
        return None
    return await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()


class Mailbox(AsyncConsumer):
    """Lesson 24: accepts the user of the token that is among the subprotocols."""

    async def websocket_connect(self, event):
        offered = self.scope["subprotocols"]
        user = await holder_of(token_in(offered))
        if user is None or PROTOCOL not in offered:
            await self.send({"type": "websocket.close"})
            return
        # A browser closes the connection if the server chooses none of the subprotocols. Do not
        # choose the token: it would be in the response too.
        await self.send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        text = f"Letters for {user.get_username()}: 3"
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_receive(self, event):
        pass

    async def websocket_disconnect(self, event):
        raise StopConsumer()
