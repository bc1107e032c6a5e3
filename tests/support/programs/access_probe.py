"""Asks the project for each route as each visitor, in the mode of the environment.

    python -m tests.support.programs.access_probe SAMPLES

SAMPLES is {parameter of a route: value}. The last line of stdout is
{route: {visitor: answer}}. The answer is the status of HTTP; of a socket it is `accept`, `close`,
the code of a close that follows the accept, or the name of an exception.
"""

import asyncio
import gc
import json
import logging
import os
import re
import sys
from functools import cache, partial
from importlib import import_module

import django
from asgiref.sync import sync_to_async
from channels.routing import URLRouter, get_default_application
from django.conf import settings

VISITORS = {
    "anonymous": None,
    "student": {},
    "instructor": {"is_staff": True, "is_superuser": True},
}
STRANGER = "stranger"  # has no token of a shared workshop
FOREIGN = "foreign"  # an instructor's browser, on a page of another site
REBOUND = "rebound"  # an instructor's browser, under a host name that is not the server's
CSRF = "a" * 32
TIMEOUT = 60  # seconds; only a server that is broken needs so long
ROUTES_OF_ADMIN = {"admin/", "admin/login/"}
# These have no router.
STATIC = "static/lessons/common/page.css"
WATCHED = "watched/<feed_id>/<client>/"
ANSWER_AFTER_ACCEPT = {
    "ws/auth/user/",
    "ws/auth/origin/",
    "ws/auth/unguarded/origin/",
    "ws/room/board/<int:class_id>/",
    "room/student/",
}


def http_routes() -> list[str]:
    """The patterns of all views."""
    from django.urls import get_resolver

    def collect(resolver, prefix):
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            if hasattr(entry, "url_patterns"):
                yield from collect(entry, route)
            elif not route.startswith("admin/") or route in ROUTES_OF_ADMIN:
                yield route

    consumers = [route for route in routes_of_routers() if route.startswith("async/")]
    watched = [] if settings.MODE == "room" else [f"{WATCHED}async/http/"]
    return [*collect(get_resolver(), ""), *consumers, STATIC, *watched]


def socket_routes() -> list[str]:
    """The patterns of all consumers."""
    routes = (route for route in routes_of_routers() if route.startswith(("ws/", "room/")))
    of_pages = [f"{WATCHED}ws/sync/frames/", "ws/feed/", "ws/feed/<feed_id>/"]
    return [*routes, "ws/nothing/", *([] if settings.MODE == "room" else of_pages)]


def routes_of_routers() -> list[str]:
    """The patterns in every router of Channels that the application has made."""
    get_default_application()
    routers = [one for one in gc.get_objects() if type(one) is URLRouter]
    return sorted({str(route.pattern) for router in routers for route in router.routes})


def new_class() -> dict:
    """A class with a student: what the parameters of the room's routes stand for."""
    from lessons.workshop.room.joining import join
    from lessons.workshop.room.models import Class

    school_class = Class.objects.create(name="Class of this test")
    student, token = join(school_class.code, "Ann")
    return {"class_id": str(school_class.pk), "student_id": str(student.pk), "token": token}


@cache
def session_of(visitor: str, route: str) -> str:
    """A session, logged in as the visitor. `route` is one that ends the session, or empty."""
    from django.contrib.auth import login, models
    from django.http import HttpRequest

    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    name = "instructor" if visitor in {FOREIGN, REBOUND} else visitor
    if VISITORS.get(name) is not None:
        user, _ = models.User.objects.get_or_create(username=name, defaults=VISITORS[name])
        login(request, user, settings.AUTHENTICATION_BACKENDS[0])
    request.session.save()
    return request.session.session_key


class Visit:
    """One request of a visitor."""

    def __init__(self, visitor: str, route: str, samples: dict):
        from lessons.workshop.page.live.feed import new_feed_id
        from lessons.workshop.setup.access_token import cookie

        self.visitor = visitor
        key = session_of(visitor, route if "log" in route and "out" in route else "")
        feed = new_feed_id(key)
        self.path = "/" + re.sub(
            r"<(?:\w+:)?(\w+)>", lambda found: {**samples, "feed_id": feed}[found[1]], route
        )
        self.query = f"feed={feed}".encode()
        cookies = {settings.SESSION_COOKIE_NAME: key, settings.CSRF_COOKIE_NAME: CSRF}
        if visitor != STRANGER:
            cookies.update([cookie()])
        host = "evil.test" if visitor == REBOUND else settings.ALLOWED_HOSTS[-1]
        site = "evil.test" if visitor == FOREIGN else host
        self.headers = [
            (b"host", host.encode()),
            (b"origin", f"http://{site}".encode()),
            (b"x-csrftoken", CSRF.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"cookie", "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()),
        ]
        if visitor == "student" and "token" in samples:
            self.headers.append((b"authorization", f"Bearer {samples['token']}".encode()))

    def scope(self, kind: str, **more) -> dict:
        return {
            "type": kind,
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query,
            "headers": self.headers,
            "client": ["127.0.0.1", 40000],
            "server": ["127.0.0.1", 8000],
            **more,
        }

    async def answers(self, scope: dict, event: dict, count: int = 1) -> list[dict]:
        """The first events that the application sends. Raises the exception that ends it."""
        application = get_default_application()
        sent, received = asyncio.Queue(), asyncio.Queue()
        received.put_nowait(event)
        task = asyncio.create_task(application(scope, received.get, sent.put))
        task.add_done_callback(sent.put_nowait)
        events = []
        while len(events) < count and not (events and is_last(events[-1])):
            answer = await asyncio.wait_for(sent.get(), TIMEOUT)
            if answer is task:
                task.result()
                break
            events.append(answer)
        received.put_nowait({"type": f"{scope['type']}.disconnect", "code": 1000})
        await asyncio.wait([task], timeout=2)
        task.cancel()
        return events

    async def request(self, method: str) -> str:
        scope = self.scope("http", method=method, scheme="http", http_version="1.1")
        [start] = await self.answers(scope, {"type": "http.request", "body": self.query})
        return str(start["status"])

    async def connect(self, count: int) -> str:
        scope = self.scope("websocket", subprotocols=["door.v1"])
        first, *more = await self.answers(scope, {"type": "websocket.connect"}, count)
        if first["type"] == "websocket.accept" and more and "code" in more[-1]:
            return str(more[-1]["code"])
        return first["type"].removeprefix("websocket.")


def is_last(event: dict) -> bool:
    """Whether no close follows. Before one, a board says in a frame why it ended."""
    is_frame = event["type"] == "websocket.send"
    return event["type"] == "websocket.close" or (is_frame and "ended" not in event["text"])


async def outcome(visit) -> str:
    """The answer, or the name of the exception that the server would log."""
    try:
        return await visit
    except Exception as error:
        return type(error).__name__


async def ask_all(samples: dict) -> dict[str, dict[str, str]]:
    visitors = [*VISITORS, FOREIGN, REBOUND]
    visitors += [STRANGER] if settings.MODE == "shared" else []
    visits = {}
    for route in http_routes():
        for method in ("GET", "POST"):
            visits[f"{method} {route or '/'}"] = route, partial(Visit.request, method=method)
    for route in socket_routes():
        count = 3 if route in ANSWER_AFTER_ACCEPT else 1
        visits[f"SOCKET {route}"] = route, partial(Visit.connect, count=count)
    return {
        name: {
            visitor: await outcome(ask(await sync_to_async(Visit)(visitor, route, samples)))
            for visitor in visitors
        }
        for name, (route, ask) in visits.items()
    }


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    django.setup()
    from django.core.management import call_command

    logging.disable()  # most requests are refused, and each refusal has a line or a traceback
    is_room = settings.MODE == "room"
    call_command("migrate", verbosity=0, run_syncdb=is_room)
    samples = json.loads(sys.argv[1]) | (new_class() if is_room else {})
    print(json.dumps(asyncio.run(ask_all(samples))))


if __name__ == "__main__":
    main()
