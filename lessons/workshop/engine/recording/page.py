"""Shows the events of a project on a page while `runserver` runs. In the project's asgi.py:

    from pytest_channels.recording.page import record
    application = record(application)

It is off until the environment has CHANNELS_RECORD=1. Then http://127.0.0.1:8000/__events__/ shows
the WebSockets, channel layer calls and queries of this process as a diagram.
"""

import json
import os
import sys
from collections import deque
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

from channels.layers import channel_layers
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .events import Event
from .layer import record_layer
from .middleware import RecordingMiddleware
from .queries import record_queries
from .recorder import Recorder
from .transcript import event_text

PREFIX = "/__events__/"
VARIABLE = "CHANNELS_RECORD"
MAX_EVENTS = 5000  # older ones are forgotten
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_SECRET_HEADERS = {b"cookie", b"authorization"}
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
# The diagram of the course: a copy in the wheel, beside the course's own module otherwise.
_FOLDERS = (
    Path(__file__).with_name("static"),
    *(Path(__file__).parents[2] / "page" / "static").glob("*"),
)


def record(application):
    """The application, with a page of its events if the environment has CHANNELS_RECORD=1."""
    if os.environ.get(VARIABLE) != "1":
        return application
    if not settings.DEBUG:
        raise ImproperlyConfigured(f"{VARIABLE}=1 shows what users send: it needs DEBUG = True.")
    return EventPage(application)


class EventPage:
    """An ASGI application around another one: it records WebSockets, and serves its page."""

    def __init__(self, application):
        self._application = application
        self._events: deque[tuple[int, Event]] = deque(maxlen=MAX_EVENTS)
        self._count = 0
        record_queries()
        for alias in channel_layers.configs:
            _record_kept_layer(alias)

    def _note(self, event: Event) -> None:
        self._count += 1
        self._events.append((self._count, event))

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":
            recorder = Recorder(keep=False, redact=_without_secrets)
            recorder.listeners.append(self._note)
            await RecordingMiddleware(self._application, recorder)(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(PREFIX):
            status, kind, body = self._answer(scope)
            headers = [(b"content-type", f"{kind}; charset=utf-8".encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await self._application(scope, receive, send)

    def _answer(self, scope) -> tuple[int, str, bytes]:
        """Status, type and content. Another machine, or a site under another name, gets a 403."""
        host = dict(scope["headers"]).get(b"host", b"").decode("latin1")
        names = scope["client"][0], urlsplit(f"//{host}").hostname
        if not {*names} <= _LOOPBACK:
            return 403, "text/plain", b"Only this machine may read the events."
        name = scope["path"].removeprefix(PREFIX)
        if name == "events.json":
            after = parse_qs(scope["query_string"].decode()).get("after", ["0"])[0]
            return 200, "application/json", self._json(int(after) if after.isdecimal() else 0)
        file = _files().get(name or "page.html")
        if file is None:
            return 404, "text/plain", b"No such file."
        return 200, _TYPES[file.suffix], file.read_bytes()

    def _json(self, after: int) -> bytes:
        """The events that came after the one with that number, and the number of the last one.

        A page that was open before the server has restarted knows a greater number.
        """
        after = 0 if after > self._count else after
        new = [event for number, event in [*self._events] if number > after]
        events = [{**event.as_json(), "text": event_text(event.message)} for event in new]
        return json.dumps({"last": self._count, "events": events}).encode()


def _record_kept_layer(alias: str) -> None:
    """Record the layer, also where a module has kept it since its import."""
    kept = channel_layers[alias]
    record_layer(alias)
    modules = [it for it in sys.modules.values() if isinstance(it, ModuleType)]
    for module in modules:
        for name in [name for name, value in vars(module).items() if value is kept]:
            setattr(module, name, channel_layers[alias])


def _files() -> dict[str, Path]:
    """The files of the page, by their names in its address."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    found = [*folder.glob("diagram/*.*"), folder / "common/dom.js", folder / "common/colours.css"]
    names = {file.relative_to(folder).as_posix(): file for file in found}
    return {**names, "page.html": Path(__file__).with_name("page.html")}


def _without_secrets(message: dict) -> dict:
    if "headers" not in message:
        return message
    shown = [pair for pair in message["headers"] if pair[0].lower() not in _SECRET_HEADERS]
    return {**message, "headers": shown}
