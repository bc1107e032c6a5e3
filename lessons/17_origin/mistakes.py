"""Lesson 17: wrong letters and origin checks, each with the diagnosis that it must get."""

import re
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator

SITE = "letters.town.example"


class OwnPages:
    """The right middleware. Each mistake below has another `is_own`, or another middleware."""

    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        if self.application.consumer_class.is_own(self.origin_in(scope)):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    def origin_in(self, scope):
        return dict(scope["headers"]).get(b"origin", b"").decode("latin1")


class RightLetters(AsyncConsumer):
    """What the mistakes below have right."""

    guard = OwnPages

    def __init_subclass__(cls):
        stack = AuthMiddlewareStack(cls.as_asgi())
        stack.consumer_class = cls
        cls.application = cls.guard(stack)

    @staticmethod
    def is_own(origin):
        return re.fullmatch(r"https://([a-z0-9-]+\.)*letters\.town\.example(:8443)?", origin)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.hand_out(self.scope["user"])

    async def hand_out(self, user):
        if user.is_authenticated:
            text = f"Letters for {user.get_username()}: 3"
            await self.send({"type": "websocket.send", "text": text})
        else:
            await self.send({"type": "websocket.close", "code": 4401})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class ChecksOnlyTheCookie(RightLetters):
    """Believes that a cookie proves the user's intent. The browser sends it for every page."""

    diagnosis = "origin-not-checked"
    guard = staticmethod(lambda stack: stack)


class AllowsDjangosHosts(RightLetters):
    """Uses ALLOWED_HOSTS, which does not contain the public name of the site."""

    diagnosis = "refuses-everyone"
    guard = staticmethod(AllowedHostsOriginValidator)


class ComparesBytesWithText(RightLetters):
    """Looks for the header with a str. The names of headers are bytes."""

    diagnosis = "refuses-everyone"

    class guard(OwnPages):
        def origin_in(self, scope):
            return dict(scope["headers"]).get("origin", "")


class TrustsTheHost(RightLetters):
    """Reads the header Host, which names the server, not the page."""

    diagnosis = "origin-not-checked"

    class guard(OwnPages):
        def origin_in(self, scope):
            return "https://" + dict(scope["headers"]).get(b"host", b"").decode("latin1")


class AcceptsNoOrigin(RightLetters):
    """Accepts a handshake without an Origin, for scripts."""

    diagnosis = "no-origin-let-in"

    @staticmethod
    def is_own(origin):
        return not origin or RightLetters.is_own(origin)


class AcceptsNull(RightLetters):
    """Believes that `null` is harmless. Any page can have it, in a sandboxed iframe."""

    diagnosis = "null-origin-let-in"

    @staticmethod
    def is_own(origin):
        return origin == "null" or RightLetters.is_own(origin)


class SearchesTheName(RightLetters):
    """Searches the name of the site anywhere in the origin."""

    diagnosis = "origin-in-part"

    @staticmethod
    def is_own(origin):
        return SITE in origin


class TakesPort0ForNone(RightLetters):
    """Tests the port as a condition. Port 0 is false, as if there were no port."""

    diagnosis = "origin-port"

    @staticmethod
    def is_own(origin):
        parts = urlsplit(origin)
        host = f".{parts.hostname or ''}"
        return (
            parts.scheme == "https"
            and host.endswith(f".{SITE}")
            and ((parts.port or 443) in (443, 8443))
        )


class ComparesTheEnd(RightLetters):
    """Leaves out the full stop in front: `evil-letters…` has the same end."""

    diagnosis = "origin-in-part"

    @staticmethod
    def is_own(origin):
        parts = urlsplit(origin)
        return (parts.scheme == "https" and (parts.hostname or "").endswith(SITE)) and (
            parts.port in (None, 443, 8443)
        )


class AllowsTheParentDomain(RightLetters):
    """Accepts every host below the parent domain, where others have sites too."""

    diagnosis = "origin-in-part"
    guard = staticmethod(lambda stack: OriginValidator(stack, [".town.example"]))


class NamesNoScheme(RightLetters):
    """Leaves out the scheme. Then the validator compares neither scheme nor port."""

    diagnosis = "origin-scheme"
    guard = staticmethod(lambda stack: OriginValidator(stack, [f".{SITE}"]))


class ForgetsThePort(RightLetters):
    """Compares scheme and host only. Another server may use another port."""

    diagnosis = "origin-port"

    @staticmethod
    def is_own(origin):
        parts = urlsplit(origin)
        host = parts.hostname or ""
        return parts.scheme == "https" and (host == SITE or host.endswith(f".{SITE}"))


class ForgetsTheHostsBelow(RightLetters):
    """Lists two origins, and forgets the hosts below the site."""

    diagnosis = "own-page-refused"
    guard = staticmethod(
        lambda stack: OriginValidator(stack, [f"https://{SITE}", f"https://{SITE}:8443"])
    )


class ForgetsTheOtherPort(RightLetters):
    """Believes that an entry without a port accepts all ports."""

    diagnosis = "own-page-refused"
    guard = staticmethod(lambda stack: OriginValidator(stack, [f"https://.{SITE}"]))


class AcceptsFirst(RightLetters):
    """Checks in the consumer, after the accept. Until then the hostile page is connected."""

    diagnosis = "origin-checked-late"
    guard = staticmethod(lambda stack: stack)

    async def hand_out(self, user):
        origin = dict(self.scope["headers"]).get(b"origin", b"").decode("latin1")
        if not self.is_own(origin):
            await self.send({"type": "websocket.close", "code": 4403})
            return
        await super().hand_out(user)


class AnswersNothing(RightLetters):
    """Returns without an event. The client waits until Daphne gives up."""

    diagnosis = "stopped-unanswered"

    class guard(OwnPages):
        async def __call__(self, scope, receive, send):
            if RightLetters.is_own(self.origin_in(scope)):
                await self.application(scope, receive, send)
