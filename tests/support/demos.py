"""All consumers of the demos, each behind its route."""

from dataclasses import dataclass

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter

from auth_demo.routing import ticket_urlpatterns
from lessons import asgi

# The demos of these apps need a database. Cookie and session middlewares run before them.
DATABASE_APPS = ("auth_demo", "db_demo", "lessons")
DATABASE_DEMOS = ("async_demo.LeanEcho", "layers_demo.Noticeboard")

# These send to one client what another client has sent or saved. That is their purpose.
SHARING = ("layers_demo.Jukebox", "layers_demo.Siren", "layers_demo.Primes")
SHARING += ("db_demo.Guestbook", "db_demo.EntryCounter", "db_demo.Chat", "db_demo.GenericChat")
SHARING += ("lessons.HardenedChat",)


@dataclass(frozen=True)
class Demo:
    """A consumer behind its route. `kind` is the type of its scope."""

    name: str
    kind: str
    path: str
    application: object

    @property
    def needs_database(self) -> bool:
        return self.name.startswith((*DATABASE_APPS, *DATABASE_DEMOS))

    @property
    def is_sharing(self) -> bool:
        return self.name in SHARING


def demos() -> list[Demo]:
    """Return all consumers that asgi.py serves."""
    found = [_websocket_demo(route, AuthMiddlewareStack) for route in asgi.websocket_urlpatterns]
    found += [_websocket_demo(route, lambda inner: inner) for route in ticket_urlpatterns]
    found += [
        Demo(_name_of(route), "http", f"/{route.pattern}", URLRouter([route]))
        for route in asgi.http_urlpatterns
        if not hasattr(route.callback, "inner")  # a middleware answers, and not a consumer
    ]
    return found


def _websocket_demo(route, stack) -> Demo:
    application = URLRouter([route])
    name = _name_of(route)
    if name.startswith(DATABASE_APPS):
        application = stack(application)
    return Demo(name, "websocket", f"/{route.pattern}", application)


def _name_of(route) -> str:
    application = getattr(route.callback, "inner", route.callback)  # without its middleware
    consumer = application.consumer_class
    return f"{consumer.__module__.partition('.')[0]}.{consumer.__name__}"
