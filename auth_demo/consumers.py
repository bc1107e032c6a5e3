"""Who is there: one worked consumer for each of lessons 16 to 19."""

import json

from channels.auth import get_user, login, logout
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth import aauthenticate

from auth_demo.signals import group_of_session, group_of_user


class Reception(AsyncConsumer):
    """Lesson 16: knows who is there, says why it shows somebody out, asks what they may do."""

    user = None  # until it is known who is there

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        user = self.scope["user"]
        # Never None: a stranger is an AnonymousUser, which is as true as any other object.
        if not user.is_authenticated:
            # Before the accept, this would be HTTP 403, and no page could tell the reason.
            await self.send({"type": "websocket.close", "code": 4401})
            return
        self.user = user
        await self.say(f"You are {user.get_username()}.")

    async def websocket_receive(self, event):
        if self.user is not None:
            # Asks the database once; the answer stays with this connection's user.
            may = await self.user.ahas_perm(event.get("text") or "")
            await self.say("You may." if may else "You may not.")

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Inbox(AsyncConsumer):
    """Lesson 17: trusts the cookie, and so does the bidding of whatever page has opened it."""

    async def websocket_connect(self, event):
        user = self.scope["user"]
        await self.send({"type": "websocket.accept"})
        if user.is_authenticated:
            text = f"Letters for {user.get_username()}: 3"
            await self.send({"type": "websocket.send", "text": text})
        else:
            await self.send({"type": "websocket.close", "code": 4401})

    async def websocket_receive(self, event):
        """Nothing that a client says is of interest here."""

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Welcome(AsyncConsumer):
    """Lesson 18: greets the user that the middleware before it has put into the scope."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        text = f"Welcome, {self.scope['user'].get_username()}."
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_receive(self, event):
        pass

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Account(AsyncConsumer):
    """Lesson 19: logs in and out over its socket, which ends with the login, however that ends."""

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
            self.groups = (session, group_of_user(user))
            for group in self.groups:
                await self.channel_layer.group_add(group, self.channel_name)
            # The login may have ended between the handshake and this.
            await self.user_changed({})

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
            await self.scope["session"].asave()  # after the accept, nobody else does
            await self.join()

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


def credentials_in(text):
    """What `{"username": "ada", "password": "..."}` says; None for any other text."""
    try:
        given = json.loads(text)
        given = {name: str(given[name]) for name in ("username", "password")}
        "".join(given.values()).encode()  # a ValueError for half a character, which JSON can write
        return given
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
