"""Lesson 17: the classic wrong versions of the letters, and of what stands before them."""

import re
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator

SITE = "letters.town.example"


class OwnPages:
    """The whole middleware, and right; each version below has an `is_own` of its own."""

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
    """The letters, and right, as their guard is; each version below spoils one thing."""

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


class AsksForTheCookieAlone(RightLetters):
    """Believes that a cookie proves that its owner wants this; the browser sends it by itself."""

    diagnosis = "origin-not-checked"
    guard = staticmethod(lambda stack: stack)


class AllowsTheHostsOfDjango(RightLetters):
    """Takes ALLOWED_HOSTS for granted; the names that the site has outside must stand there too."""

    diagnosis = "refuses-everyone"
    guard = staticmethod(AllowedHostsOriginValidator)


class ComparesBytesWithText(RightLetters):
    """Looks for the header by a name that is text, and the names of headers are bytes."""

    diagnosis = "refuses-everyone"

    class guard(OwnPages):
        def origin_in(self, scope):
            return dict(scope["headers"]).get("origin", "")


class TrustsTheHost(RightLetters):
    """Reads the Host, which says where the handshake goes, and not where it comes from."""

    diagnosis = "origin-not-checked"

    class guard(OwnPages):
        def origin_in(self, scope):
            return "https://" + dict(scope["headers"]).get(b"host", b"").decode("latin1")


class LetsInWhatHasNone(RightLetters):
    """Means to be kind to scripts; a script may send any Origin, and a guard has no exceptions."""

    diagnosis = "no-origin-let-in"

    @staticmethod
    def is_own(origin):
        return not origin or RightLetters.is_own(origin)


class LetsInNull(RightLetters):
    """Takes null for no origin at all; any page can have it, by a frame with a sandbox."""

    diagnosis = "null-origin-let-in"

    @staticmethod
    def is_own(origin):
        return origin == "null" or RightLetters.is_own(origin)


class LooksForTheName(RightLetters):
    """Looks for the site's name anywhere in the origin."""

    diagnosis = "origin-in-part"

    @staticmethod
    def is_own(origin):
        return SITE in origin


class LooksAtTheEnd(RightLetters):
    """Leaves out the full stop in front: evil-letters ends as letters does."""

    diagnosis = "origin-in-part"

    @staticmethod
    def is_own(origin):
        parts = urlsplit(origin)
        return (parts.scheme == "https" and (parts.hostname or "").endswith(SITE)) and (
            parts.port in (None, 443, 8443)
        )


class AllowsTheWholeTown(RightLetters):
    """Allows the parent with all that is below it, where anybody may have a site."""

    diagnosis = "origin-in-part"
    guard = staticmethod(lambda stack: OriginValidator(stack, [".town.example"]))


class NamesNoScheme(RightLetters):
    """Gives the validator hosts; without a scheme, it compares neither scheme nor port."""

    diagnosis = "origin-scheme"
    guard = staticmethod(lambda stack: OriginValidator(stack, [f".{SITE}"]))


class ForgetsThePort(RightLetters):
    """Believes that one host is one origin, whatever else is served on its other ports."""

    diagnosis = "origin-port"

    @staticmethod
    def is_own(origin):
        parts = urlsplit(origin)
        host = parts.hostname or ""
        return parts.scheme == "https" and (host == SITE or host.endswith(f".{SITE}"))


class ForgetsWhatIsBelow(RightLetters):
    """Lists two origins, and leaves out the sites below."""

    diagnosis = "own-page-refused"
    guard = staticmethod(
        lambda stack: OriginValidator(stack, [f"https://{SITE}", f"https://{SITE}:8443"])
    )


class ForgetsTheOtherPort(RightLetters):
    """Believes that a pattern without a port is for all ports; it is for the scheme's own."""

    diagnosis = "own-page-refused"
    guard = staticmethod(lambda stack: OriginValidator(stack, [f"https://.{SITE}"]))


class AcceptsFirst(RightLetters):
    """Asks in the consumer, once it has accepted: the hostile page has an open socket by then."""

    diagnosis = "origin-checked-late"
    guard = staticmethod(lambda stack: stack)

    async def hand_out(self, user):
        origin = dict(self.scope["headers"]).get(b"origin", b"").decode("latin1")
        if not self.is_own(origin):
            await self.send({"type": "websocket.close", "code": 4403})
            return
        await super().hand_out(user)


class AnswersNothing(RightLetters):
    """Returns without a word; the client waits, and the server says that nobody answered."""

    diagnosis = "stopped-unanswered"

    class guard(OwnPages):
        async def __call__(self, scope, receive, send):
            if RightLetters.is_own(self.origin_in(scope)):
                await self.application(scope, receive, send)
