"""Lesson 19: wrong desks, each with the diagnosis that it must get."""

import json

from asgiref.sync import async_to_sync
from channels.auth import get_user, login, logout
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.contrib.auth import aauthenticate, get_user_model
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.utils.crypto import salted_hmac


def group_of_user(user):
    return f"user-{user.pk}"


def group_of_session(key):
    return f"session-{salted_hmac('desk', key, algorithm='sha256').hexdigest()[:16]}"


def credentials_in(text):
    try:
        given = json.loads(text)
        given = {name: str(given[name]) for name in ("username", "password")}
        "".join(given.values()).encode()  # a ValueError for half a character, which JSON can write
        return given
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


class RightDesk(AsyncConsumer):
    """What the mistakes below have right; each connects its receivers when it is routed."""

    groups = ()

    @classmethod
    def as_asgi(cls, **kwargs):
        cls.connect_receivers()
        return super().as_asgi(**kwargs)

    @classmethod
    def connect_receivers(cls):
        post_delete.connect(cls.tell_of_the_end, sender=Session)
        post_save.connect(cls.tell_of_the_change, sender=get_user_model())

    @classmethod
    def tell_of_the_end(cls, sender, instance, **kwargs):
        cls.tell(group_of_session(instance.session_key), "session.over")

    @classmethod
    def tell_of_the_change(cls, sender, instance, **kwargs):
        cls.tell(group_of_user(instance), "user.changed")

    @classmethod
    def tell(cls, group, kind):
        send = async_to_sync(get_channel_layer().group_send)
        transaction.on_commit(lambda: send(group, {"type": kind}), robust=True)

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
        if self.scope["user"].is_authenticated:
            self.groups = self.own_groups()
            for group in self.groups:
                await self.channel_layer.group_add(group, self.channel_name)
            await self.user_changed({})

    def own_groups(self):
        session = self.scope["session"].session_key
        return group_of_session(session), group_of_user(self.scope["user"])

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        credentials = credentials_in(text)
        if text == "logout":
            await self.log_out()
        elif credentials and not self.scope["user"].is_authenticated:
            await self.log_in(credentials)
        name = self.scope["user"].get_username() or "nobody"
        await self.send({"type": "websocket.send", "text": name})

    async def log_in(self, credentials):
        user = await aauthenticate(**credentials)
        if user is not None:
            await login(self.scope, user)
            await self.save()
            await self.join()

    async def log_out(self):
        await logout(self.scope)

    async def save(self):
        await self.scope["session"].asave()

    async def session_over(self, event):
        await self.send({"type": "websocket.close", "code": 4401})
        raise StopConsumer()

    async def user_changed(self, event):
        session = self.scope["session"]
        user = await get_user({"session": session.__class__(session.session_key)})
        if not user.is_authenticated:
            await self.session_over(event)
        self.scope["user"] = user

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class BelievesInTheHandshake(RightDesk):
    """Believes that scope["user"] follows what happens to the login."""

    diagnosis = "stale-user"

    async def join(self):
        pass


class ForgetsToSave(RightDesk):
    """Believes that login() saves the session."""

    diagnosis = "session-not-saved"

    async def save(self):
        pass

    async def user_changed(self, event):
        self.scope["user"] = await get_user(self.scope)


class SavesTheWrongWayRound(RightDesk):
    """Joins, which looks at the saved session, before there is one."""

    diagnosis = "joined-before-saved"

    async def log_in(self, credentials):
        user = await aauthenticate(**credentials)
        if user is not None:
            await login(self.scope, user)
            await self.join()
            await self.save()


class KeepsAListOfItsSockets(RightDesk):
    """Keeps the sockets in a list on the class: another process has another list."""

    diagnosis = "other-process-not-closed"
    sockets = []

    async def join(self):
        self.sockets.append(self)

    @classmethod
    def tell_of_the_end(cls, sender, instance, **kwargs):
        for socket in cls.sockets:
            if socket.scope["session"].session_key == instance.session_key:
                async_to_sync(socket.send)({"type": "websocket.close", "code": 4401})


class HasOneGroup(RightDesk):
    """Has one group for all sockets, and tells it of each end."""

    diagnosis = "other-sessions-closed"

    def own_groups(self):
        return "sessions", group_of_user(self.scope["user"])

    @classmethod
    def tell_of_the_end(cls, sender, instance, **kwargs):
        cls.tell("sessions", "session.over")


class NamesAllUsersAlike(RightDesk):
    """Names the user's group by a key that all have: the class's."""

    diagnosis = "other-users-closed"

    def own_groups(self):
        session = self.scope["session"].session_key
        return group_of_session(session), "user-changed"

    @classmethod
    def tell_of_the_change(cls, sender, instance, **kwargs):
        if not instance.is_active:
            cls.tell("user-changed", "session.over")


class TakesEachSaveForTheEnd(RightDesk):
    """Closes on every post_save: each login saves the user, too."""

    diagnosis = "closed-without-reason"

    @classmethod
    def tell_of_the_change(cls, sender, instance, **kwargs):
        cls.tell(group_of_user(instance), "session.over")


class ListensToLogoutsOnly(RightDesk):
    """Believes that every login ends with a logout."""

    diagnosis = "deactivated-stays"

    @classmethod
    def tell_of_the_change(cls, sender, instance, **kwargs):
        pass


class ComparesNothing(RightDesk):
    """Fetches the user again, and compares no hash: the password may be another."""

    diagnosis = "password-change-missed"

    async def user_changed(self, event):
        session = self.scope["session"]
        if not await session.__class__(session.session_key).aexists(session.session_key):
            await self.session_over(event)
        user = await get_user_model().objects.aget(pk=self.scope["user"].pk)
        if not user.is_active:
            await self.session_over(event)


class TellsBeforeTheCommit(RightDesk):
    """Tells at once: within a transaction, whoever looks then sees what was."""

    diagnosis = "notified-before-commit"

    @classmethod
    def tell(cls, group, kind):
        async_to_sync(get_channel_layer().group_send)(group, {"type": kind})


class JoinsAtTheHandshakeOnly(RightDesk):
    """Believes that groups are a matter of the handshake."""

    diagnosis = "login-not-joined"

    async def log_in(self, credentials):
        user = await aauthenticate(**credentials)
        if user is not None:
            await login(self.scope, user)
            await self.save()


class LooksAndThenJoins(RightDesk):
    """Looks, and joins then: what happens in between, it misses."""

    diagnosis = "logout-during-handshake"

    async def join(self):
        if self.scope["user"].is_authenticated:
            await self.user_changed({})
            self.groups = self.own_groups()
            for group in self.groups:
                await self.channel_layer.group_add(group, self.channel_name)


class LooksAtWhatItHasRead(RightDesk):
    """Looks at scope["session"], which was read at the handshake and is not read again."""

    diagnosis = "logout-during-handshake"

    async def user_changed(self, event):
        user = await get_user(self.scope)
        if not user.is_authenticated:
            await self.session_over(event)
        self.scope["user"] = user


class ForgetsTheScope(RightDesk):
    """Deletes the session, and goes on with the user that it had."""

    diagnosis = "stale-user"

    async def log_out(self):
        await self.scope["session"].aflush()

    async def session_over(self, event):
        if not self.scope["user"].is_authenticated:
            await super().session_over(event)


class NamesTheGroupAfterTheKey(RightDesk):
    """Takes the session's key for a name; it is as good as a password."""

    diagnosis = "secret-in-group-name"

    def own_groups(self):
        return f"session-{self.scope['session'].session_key}", group_of_user(self.scope["user"])

    @classmethod
    def tell_of_the_end(cls, sender, instance, **kwargs):
        cls.tell(f"session-{instance.session_key}", "session.over")


class AsksTheRequest(RightDesk):
    """Believes that a logout has a request; one over a socket has none."""

    diagnosis = "no-request"

    @classmethod
    def connect_receivers(cls):
        user_logged_out.connect(cls.tell_of_the_logout)
        post_save.connect(cls.tell_of_the_change, sender=get_user_model())

    @classmethod
    def tell_of_the_logout(cls, sender, request, user, **kwargs):
        cls.tell(group_of_session(request.session.session_key), "session.over")


class ClosesWithoutACode(RightDesk):
    """Closes with no code: the page cannot tell this from any other end, and connects again."""

    diagnosis = "wrong-close-code"

    async def session_over(self, event):
        await self.send({"type": "websocket.close"})
        raise StopConsumer()


class StopsAndLeavesItOpen(RightDesk):
    """Takes StopConsumer for the end of the connection."""

    diagnosis = "zombie"

    async def session_over(self, event):
        raise StopConsumer()


class NeverLeavesItsGroups(RightDesk):
    """Believes that who is gone is in no group any more."""

    diagnosis = "group-leak"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)


class HasNoHandler(RightDesk):
    """Names the handler as it pleases: the type of the message says which one is called."""

    diagnosis = "no-layer-handler"

    @classmethod
    def tell_of_the_end(cls, sender, instance, **kwargs):
        cls.tell(group_of_session(instance.session_key), "session.ended")


class KeepsTheOldUser(RightDesk):
    """Looks whether the login stands, and goes on with the user as it was."""

    diagnosis = "wrong-name"

    async def user_changed(self, event):
        session = self.scope["session"]
        user = await get_user({"session": session.__class__(session.session_key)})
        if not user.is_authenticated:
            await self.session_over(event)


class GoesOnAfterTheEnd(RightDesk):
    """Closes, and answers what the client had sent before it saw that."""

    diagnosis = "send-after-close"

    async def session_over(self, event):
        await self.send({"type": "websocket.close", "code": 4401})
