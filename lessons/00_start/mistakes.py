"""Lesson 0: wrong asgi.py files. Each class has the application that its file would have."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

PATH = "ws/sync/start/"


async def website(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError(f"Django can only handle ASGI/HTTP connections, not {scope['type']}.")
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"the club"})


class Closed(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.close"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class RightLine(SyncConsumer):
    """What the mistakes below have right: all but routes()."""

    def __init_subclass__(cls):
        cls.application = cls.make_application()

    @classmethod
    def make_application(cls):
        return ProtocolTypeRouter({"http": website, "websocket": URLRouter(cls.routes())})

    @classmethod
    def routes(cls):
        return [path(PATH, cls.as_asgi()), re_path(r"", Closed.as_asgi())]

    def websocket_connect(self, event):
        self.frames = 0
        self.send({"type": "websocket.accept"})
        self.send({"type": "websocket.send", "text": "open"})

    def websocket_receive(self, event):
        self.frames += 1
        self.send({"type": "websocket.send", "text": f"frame {self.frames}"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class LeavesItToDjango(RightLine):
    """Believes that Django passes a WebSocket on to a consumer."""

    diagnosis = "no-websocket-application"

    @classmethod
    def make_application(cls):
        return website


class MisspellsTheType(RightLine):
    """Believes that the key is a name that one may choose."""

    diagnosis = "no-websocket-application"

    @classmethod
    def make_application(cls):
        return ProtocolTypeRouter({"http": website, "websockets": URLRouter(cls.routes())})


class ForgetsTheOtherPaths(RightLine):
    """Believes that URLRouter rejects a path that no route matches."""

    diagnosis = "no-last-route"

    @classmethod
    def routes(cls):
        return [path(PATH, cls.as_asgi())]


class RoutesTheClass(RightLine):
    """Routes the class, as one would pass a function."""

    diagnosis = "class-without-as-asgi"

    @classmethod
    def routes(cls):
        return [path(PATH, cls), re_path(r"", Closed.as_asgi())]


class RoutesAnInstance(RightLine):
    """Makes one instance, which all connections then share."""

    diagnosis = "wrong-connection"

    @classmethod
    def routes(cls):
        return [path(PATH, cls()), re_path(r"", Closed.as_asgi())]


class ForgetsTheLastSlash(RightLine):
    """Believes that a route also matches with a slash more, as a view's may."""

    diagnosis = "route-not-reached"

    @classmethod
    def routes(cls):
        return [path(PATH.rstrip("/"), cls.as_asgi()), re_path(r"", Closed.as_asgi())]


class BeginsWithASlash(RightLine):
    """Copies the path of the browser, with the slash in front."""

    diagnosis = "route-not-reached"

    @classmethod
    def routes(cls):
        return [path(f"/{PATH}", cls.as_asgi()), re_path(r"", Closed.as_asgi())]


class ClosesFirst(RightLine):
    """Puts the route that matches everything in front of the other."""

    diagnosis = "route-not-reached"

    @classmethod
    def routes(cls):
        return [re_path(r"", Closed.as_asgi()), path(PATH, cls.as_asgi())]


class MatchesTheBeginning(RightLine):
    """Believes that a regular expression must match the whole path."""

    diagnosis = "route-too-wide"

    @classmethod
    def routes(cls):
        return [re_path(PATH, cls.as_asgi()), re_path(r"", Closed.as_asgi())]


class AcceptsEachPath(RightLine):
    """Sends every WebSocket to the one consumer."""

    diagnosis = "route-too-wide"

    @classmethod
    def routes(cls):
        return [re_path(r"", cls.as_asgi())]
