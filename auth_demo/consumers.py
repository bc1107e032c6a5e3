"""Users, origins, tickets and logout. One consumer for each of lessons 16 to 19."""

import json

from channels.auth import get_user, login, logout
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.contrib.auth import aauthenticate

from auth_demo.signals import group_of_session, group_of_user


class Reception(AsyncConsumer):
    """Lesson 16: accepts logged-in users only, and answers questions about permissions."""

    user = None  # None until a logged-in user has connected

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        user = self.scope["user"]
        # scope["user"] is never None. Without a login it is an AnonymousUser, which is truthy.
        if not user.is_authenticated:
            # A close before the accept is HTTP 403. Then the page cannot read the code.
            await self.send({"type": "websocket.close", "code": 4401})
            return
        self.user = user
        await self.send_text(f"You are {user.get_username()}.")

    async def websocket_receive(self, event):
        if self.user is not None:
            # This queries the database once. Then the user object keeps its permissions.
            allowed = await self.user.ahas_perm(event.get("text") or "")
            await self.send_text("You may." if allowed else "You may not.")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Inbox(AsyncConsumer):
    """Lesson 17: trusts the cookie alone. So any site that opens the socket acts as the user."""

    async def websocket_connect(self, event):
        user = self.scope["user"]
        await self.send({"type": "websocket.accept"})
        if user.is_authenticated:
            text = f"Letters for {user.get_username()}: 3"
            await self.send({"type": "websocket.send", "text": text})
        else:
            await self.send({"type": "websocket.close", "code": 4401})

    async def websocket_receive(self, event):
        pass  # this consumer ignores all frames

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Welcome(AsyncConsumer):
    """Lesson 18: greets the user that a middleware has put into the scope."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        text = f"Welcome, {self.scope['user'].get_username()}."
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_receive(self, event):
        pass

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Account(AsyncConsumer):
    """Lesson 19: logs in and out over its socket. When the login ends, the socket closes."""

    groups = ()  # empty until a user is logged in

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            for group in self.groups:
                await self.channel_layer.group_discard(group, self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.join_groups()

    async def join_groups(self):
        user = self.scope["user"]
        if user.is_authenticated:
            session = group_of_session(self.scope["session"].session_key)
            self.groups = (session, group_of_user(user))
            for group in self.groups:
                await self.channel_layer.group_add(group, self.channel_name)
            # The login may have ended since the handshake, so check it now.
            await self.user_changed({})

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        credentials = parse_credentials(text)
        if text == "logout":
            await logout(self.scope)  # deletes the session; its signal leads to session_over()
        elif credentials and not self.scope["user"].is_authenticated:
            await self.log_in(credentials)
        name = self.scope["user"].get_username() or "nobody"
        await self.send({"type": "websocket.send", "text": name})

    async def log_in(self, credentials):
        user = await aauthenticate(**credentials)
        if user is not None:
            await login(self.scope, user)
            await self.scope["session"].asave()  # after the accept, no middleware saves it
            await self.join_groups()

    async def session_over(self, event):
        await self.send({"type": "websocket.close", "code": 4401})
        raise StopConsumer()  # answer no frame that is still waiting

    async def user_changed(self, event):
        # scope["session"] caches what it has read, so read the session with a new object.
        session = self.scope["session"]
        fresh = session.__class__(session.session_key)
        user = await get_user({"session": fresh})  # checks is_active and the password's hash
        if not user.is_authenticated:
            await self.session_over(event)
        self.scope["user"] = user

    async def websocket_disconnect(self, event):
        raise StopConsumer()


def parse_credentials(text):
    """Parse `{"username": "ada", "password": "..."}`. Return None for any other text."""
    try:
        data = json.loads(text)
        credentials = {name: str(data[name]) for name in ("username", "password")}
        # JSON can contain half a character (a lone surrogate). encode() then raises ValueError.
        "".join(credentials.values()).encode()
        return credentials
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
