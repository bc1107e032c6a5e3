"""Lesson 19: a desk that serves nobody whose login has ended.

It stands behind AuthMiddlewareStack, and accepts every client. `{"username": "ada",
"password": "..."}` logs ada in, and the consumer saves that login; `logout` logs out. The desk then
answers each frame with the name of the user who is logged in, or `nobody`. When a session ends,
over this socket, over HTTP or at another desk, each socket of that session is closed with 4401, on
every server, and no other socket. When a user is deactivated, or gets a new password, each socket
of that user is closed with 4401. Any other change of a user closes none. All this also holds for a
login that ends while its socket is still joining. The code that reports all these changes, to two
groups, is there already.
"""

import json

from asgiref.sync import async_to_sync
from channels.auth import get_user, login, logout
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.contrib.auth import aauthenticate, get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils.crypto import salted_hmac


def group_of_user(user):
    return f"user-{user.pk}"


def group_of_session(key):
    # The key is a secret, and a group's name stands in Redis and in transcripts.
    return f"session-{salted_hmac('desk', key, algorithm='sha256').hexdigest()[:16]}"


@receiver(post_delete, sender=Session)
def tell_of_the_end(sender, instance, **kwargs):
    """A logout deletes its session; so does a change of the password."""
    tell(group_of_session(instance.session_key), "session.over")


@receiver(post_save, sender=get_user_model())
def tell_of_the_change(sender, instance, **kwargs):
    """Any change of a user: a new password, is_active, or the time of the last login."""
    tell(group_of_user(instance), "user.changed")


def tell(group, kind):
    """Once it is in the database; and where the layer is out of reach, a logout is one still."""
    send = async_to_sync(get_channel_layer().group_send)
    transaction.on_commit(lambda: send(group, {"type": kind}), robust=True)


def credentials_in(text):
    """What `{"username": "ada", "password": "..."}` says; None for any other text."""
    try:
        given = json.loads(text)
        given = {name: str(given[name]) for name in ("username", "password")}
        "".join(given.values()).encode()  # a ValueError for half a character, which JSON can write
        return given
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


class Desk(AsyncConsumer):
    groups = ()  # until somebody is logged in

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            for group in self.groups:
                await self.channel_layer.group_discard(group, self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.join()

    async def join(self):
        user = self.scope["user"]
        if user.is_authenticated:
            session = group_of_session(self.scope["session"].session_key)
            # TODO 1: be reached through this group and the user's until the connection ends. And
            # what if the login has ended between the handshake and here?

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        credentials = credentials_in(text)
        if text == "logout":
            await logout(self.scope)  # deletes the session, hence session_over
        elif credentials and not self.scope["user"].is_authenticated:
            await self.log_in(credentials)
        name = self.scope["user"].get_username() or "nobody"
        await self.send({"type": "websocket.send", "text": name})

    async def log_in(self, credentials):
        user = await aauthenticate(**credentials)
        if user is not None:
            await login(self.scope, user)
            # TODO 2: who saves the session? And who tells this connection of its end?

    async def session_over(self, event):
        await self.send({"type": "websocket.close", "code": 4401})
        raise StopConsumer()  # what the client has sent meanwhile is not answered

    async def user_changed(self, event):
        # A new store: what scope["session"] has read once, it does not read again.
        session = self.scope["session"]
        fresh = session.__class__(session.session_key)
        user = await get_user({"session": fresh})  # is_active, and the password's hash
        if not user.is_authenticated:
            await self.session_over(event)
        self.scope["user"] = user

    async def websocket_disconnect(self, event):
        raise StopConsumer()
