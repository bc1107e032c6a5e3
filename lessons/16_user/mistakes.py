"""Lesson 16: wrong counters, each with the diagnosis that it must get."""

from channels.auth import AuthMiddleware, AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.sessions import CookieMiddleware, SessionMiddleware


class RightCounter(AsyncConsumer):
    """What the mistakes below have right. Each changes a method, or the stack."""

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
    """Believes that Django's MIDDLEWARE adds the user. It is for HTTP only."""

    diagnosis = "no-auth-stack"
    stack = staticmethod(lambda inner: inner)


class HasAuthMiddlewareAlone(RightCounter):
    """Believes that AuthMiddleware needs no other middleware."""

    diagnosis = "auth-without-session"
    stack = AuthMiddleware


class ReversesTheStack(RightCounter):
    """Writes the middleware that runs first innermost."""

    diagnosis = "auth-without-session"
    stack = staticmethod(lambda inner: AuthMiddleware(SessionMiddleware(CookieMiddleware(inner))))


class HidesAMissingUser(RightCounter):
    """Uses scope.get(), which hides a missing middleware: every client looks anonymous."""

    diagnosis = "authenticated-user-refused"
    stack = staticmethod(lambda inner: CookieMiddleware(SessionMiddleware(inner)))

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            return
        await self.welcome(user)


class TestsTheObject(RightCounter):
    """Believes that an AnonymousUser is false in a condition."""

    diagnosis = "anonymous-let-in"

    def is_known(self, user):
        return bool(user)


class CallsTheAttribute(RightCounter):
    """Calls is_authenticated, which is an attribute."""

    diagnosis = "attribute-called"

    def is_known(self, user):
        return user.is_authenticated()


class RejectsTheHandshake(RightCounter):
    """Closes before the accept: HTTP 403, so the page cannot see why."""

    diagnosis = "refused-without-reason"

    async def websocket_connect(self, event):
        if not self.scope["user"].is_authenticated:
            await self.send({"type": "websocket.close"})
            return
        await super().websocket_connect(event)


class ClosesAndGoesOn(RightCounter):
    """Believes that a close ends the handler. Without a return, it goes on."""

    diagnosis = "send-after-close"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        if not self.is_known(self.scope["user"]):
            await self.send({"type": "websocket.close", "code": 4401})
        await self.welcome(self.scope["user"])


class QueriesOnTheLoop(RightCounter):
    """Believes that the user object contains its permissions. has_perm() makes a query."""

    diagnosis = "orm-in-async"

    async def may(self):
        return self.user.has_perm("auth.change_user")


class ForgetsTheAwait(RightCounter):
    """Forgets the await. A coroutine is true, so every user may."""

    diagnosis = "never-awaited"

    async def may(self):
        return bool(self.user.ahas_perm("auth.change_user"))


class LeavesOutTheApp(RightCounter):
    """Leaves the app out of the name. No permission has that name."""

    diagnosis = "permission-refused"

    async def may(self):
        return await self.user.ahas_perm("change_user")


class ChecksOnlyTheLogin(RightCounter):
    """Believes that a logged-in user has every permission."""

    diagnosis = "permission-not-asked"

    async def may(self):
        return self.user.is_authenticated


class ClosesWithoutPermission(RightCounter):
    """Closes the connection instead of answering `not yours to stamp`."""

    diagnosis = "closed-for-asking"

    async def websocket_receive(self, event):
        if self.user is not None and not await self.may():
            await self.send({"type": "websocket.close", "code": 4403})
            return
        await super().websocket_receive(event)


class KeepsTheUserOnTheClass(RightCounter):
    """Keeps the user on the class, so the last user replaces all others."""

    diagnosis = "wrong-connection"

    async def welcome(self, user):
        await super().welcome(user)
        type(self).user = user
        del self.user
