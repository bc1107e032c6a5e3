"""Users, origins, tickets, logout and limits. Lessons 16 to 18, 21 and 27."""

import json

from channels.auth import logout
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from auth_demo.signals import group_of_session
from auth_demo.token_bucket import TokenBucket


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
    """Lesson 21: answers with the user's name, and closes when the session ends."""

    group = None  # an anonymous client joins no group

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if self.scope["user"].is_authenticated:
            await self.join(self.scope["session"])

    async def join(self, session):
        self.group = group_of_session(session.session_key)
        await self.channel_layer.group_add(self.group, self.channel_name)
        # A logout before the group_add sent no message to this consumer, so check now.
        if not await session.aexists(session.session_key):
            await self.session_over({})

    async def session_over(self, event):
        await self.send({"type": "websocket.close", "code": 4401})
        raise StopConsumer()  # answer no frame that is still waiting

    async def websocket_receive(self, event):
        if event.get("text") == "logout":
            await logout(self.scope)  # deletes the session; its signal leads to session_over()
        name = self.scope["user"].get_username() or "nobody"
        await self.send({"type": "websocket.send", "text": name})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class Adder(AsyncConsumer):
    """Lesson 27: adds the numbers in a frame, as in `1 2 3`, with limits for each connection."""

    max_length = 200  # characters, or bytes of a binary frame
    max_refused = 5  # frames in a row for which the bucket has no token

    async def websocket_connect(self, event):
        self.bucket = TokenBucket(size=3, seconds=2)
        self.refused = 0
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        frame = event.get("text") or event.get("bytes") or ""
        # The cheapest check first: a long frame is not parsed.
        if len(frame) > self.max_length:
            await self.close(4413)
        wait = self.bucket.take()
        if wait:
            await self.refuse(wait)
        else:
            self.refused = 0
            await self.send_json(self.add(frame))

    async def refuse(self, wait):
        """Say when to try again. Close the connection of a client that does not wait."""
        self.refused += 1
        if self.refused == self.max_refused:
            await self.close(4429)
        await self.send_json({"error": "too fast", "retry_after": wait})

    def add(self, frame):
        try:
            return {"sum": sum(int(number) for number in frame.split())}
        except ValueError:
            return {"error": "not numbers"}

    async def send_json(self, answer):
        await self.send({"type": "websocket.send", "text": json.dumps(answer)})

    async def close(self, code):
        await self.send({"type": "websocket.close", "code": code})
        raise StopConsumer()  # answer no frame that is still waiting

    async def websocket_disconnect(self, event):
        raise StopConsumer()
