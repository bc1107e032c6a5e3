"""Who is there: one worked consumer for each of lessons 16 to 19."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


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


class Letters(AsyncConsumer):
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
