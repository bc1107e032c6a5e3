"""Every consumer that the project serves, as it is served, and what a client may say to it."""

from dataclasses import dataclass

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter

from auth_demo.unguarded import unguarded
from lessons import asgi

# What begins with these needs a database, and the cookies' middlewares stand before it.
WITH_DATABASE = ("auth_demo", "db_demo")

# These answer one client with what another has said or saved: it is what they are for.
SHARING = ("layers_demo.Room", "layers_demo.SharedRoom", "db_demo.Guestbook", "db_demo.Logbook")
SHARING += ("db_demo.Chat", "db_demo.GenericChat")


@dataclass(frozen=True)
class Demo:
    """A worked consumer behind its route; `kind` is the type of its scope."""

    name: str
    kind: str
    path: str
    application: object

    @property
    def needs_database(self) -> bool:
        return self.name.startswith(WITH_DATABASE) or self.name == "async_demo.LeanEcho"

    @property
    def is_sharing(self) -> bool:
        return self.name in SHARING


def demos() -> list[Demo]:
    """All that asgi.py serves."""
    found = [_on_socket(route, AuthMiddlewareStack) for route in asgi.websocket_urlpatterns]
    found += [_on_socket(route, lambda inner: inner) for route in asgi.ticket_urlpatterns]
    found += [
        Demo(_name(route.callback), "http", f"/{route.pattern}", URLRouter([route]))
        for route in asgi.http_urlpatterns
    ]
    found.append(Demo("auth_demo.ScopeReport", "websocket", "/ws/auth/unguarded/user/", unguarded))
    return found


def _on_socket(route, stack) -> Demo:
    application = URLRouter([route])
    name = _name(getattr(route.callback, "inner", route.callback))
    if name.startswith(WITH_DATABASE):
        application = stack(application)
    return Demo(name, "websocket", f"/{route.pattern}", application)


def _name(application) -> str:
    consumer = application.consumer_class
    return f"{consumer.__module__.partition('.')[0]}.{consumer.__name__}"
