"""Lesson 16: the classic wrong versions of the counter."""

from channels.auth import AuthMiddleware, AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.sessions import CookieMiddleware, SessionMiddleware


class RightCounter(AsyncConsumer):
    """The whole counter, and right; each version below spoils a method, or the stack."""

    stack = AuthMiddlewareStack
    user = None

    def __init_subclass__(cls):
        cls.application = cls.stack(cls.as_asgi())

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        user = self.scope["user"]
        if not self.is_known(user):
            await self.send({"type": "websocket.close", "code": 4401})
            return
        await self.welcome(user)

    def is_known(self, user):
        return user.is_authenticated

    async def welcome(self, user):
        self.user = user
        await self.say(f"Hello, {user.username}.")

    async def websocket_receive(self, event):
        if self.user is not None:
            await self.say("stamped" if await self.may() else "not yours to stamp")

    async def may(self):
        return await self.user.ahas_perm("auth.change_user")

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class HasNoStack(RightCounter):
    """Believes that Django's own MIDDLEWARE puts the user there; that is for HTTP alone."""

    diagnosis = "no-auth-stack"
    stack = staticmethod(lambda inner: inner)


class HasAuthMiddlewareAlone(RightCounter):
    """Believes that the middleware which is called Auth does all of it."""

    diagnosis = "auth-without-session"
    stack = AuthMiddleware


class StacksThemUpsideDown(RightCounter):
    """Writes the three in the order of their work, from the inside out."""

    diagnosis = "auth-without-session"
    stack = staticmethod(lambda inner: AuthMiddleware(SessionMiddleware(CookieMiddleware(inner))))


class DoesWithoutAUser(RightCounter):
    """Asks with get(), so that a missing stack shows nowhere: everybody is a stranger."""

    diagnosis = "authenticated-user-refused"
    stack = staticmethod(lambda inner: CookieMiddleware(SessionMiddleware(inner)))

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            return
        await self.welcome(user)


class TakesAnybodyForSomebody(RightCounter):
    """Takes the AnonymousUser for false; without a login, it is what scope["user"] is."""

    diagnosis = "anonymous-let-in"

    def is_known(self, user):
        return bool(user)


class CallsTheAttribute(RightCounter):
    """Calls is_authenticated, as one did until Django 2."""

    diagnosis = "attribute-called"

    def is_known(self, user):
        return user.is_authenticated()


class RefusesWithoutAWord(RightCounter):
    """Refuses as in lesson 1: HTTP 403, which a page cannot tell from a server that is down."""

    diagnosis = "refused-without-reason"

    async def websocket_connect(self, event):
        if not self.scope["user"].is_authenticated:
            await self.send({"type": "websocket.close"})
            return
        await super().websocket_connect(event)


class ClosesAndGoesOn(RightCounter):
    """Believes that a close ends the handler; without a return, it goes on to greet."""

    diagnosis = "send-after-close"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if not self.is_known(self.scope["user"]):
            await self.send({"type": "websocket.close", "code": 4401})
        await self.welcome(self.scope["user"])


class AsksOnTheLoop(RightCounter):
    """Believes that the user has its permissions with it; has_perm asks the database for them."""

    diagnosis = "orm-in-async"

    async def may(self):
        return self.user.has_perm("auth.change_user")


class TakesTheCoroutineForTheAnswer(RightCounter):
    """Forgets the await: a coroutine is true, so everybody may."""

    diagnosis = "never-awaited"

    async def may(self):
        return bool(self.user.ahas_perm("auth.change_user"))


class LeavesTheAppOut(RightCounter):
    """Asks for change_user; no permission has that name without its app, so nobody has it."""

    diagnosis = "permission-refused"

    async def may(self):
        return await self.user.ahas_perm("change_user")


class TakesALoginForARight(RightCounter):
    """Believes that whoever has logged in may do whatever can be done."""

    diagnosis = "permission-not-asked"

    async def may(self):
        return self.user.is_authenticated


class ShowsOutWhoMayNot(RightCounter):
    """Closes on whoever asks for too much; who is known and may not is answered."""

    diagnosis = "closed-for-asking"

    async def websocket_receive(self, event):
        if self.user is not None and not await self.may():
            await self.send({"type": "websocket.close", "code": 4403})
            return
        await super().websocket_receive(event)


class RemembersTheLastOne(RightCounter):
    """Keeps the user on the class, so that who came last is everybody."""

    diagnosis = "wrong-connection"

    async def welcome(self, user):
        await super().welcome(user)
        type(self).user = user
        del self.user
