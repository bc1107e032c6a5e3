"""A real Daphne with Sentry's SDK, which reports to stdout and never to the network.

    python3 -m tests.support.programs.sentry_daphne WORD...

The words add a cure: `middleware`, `ignore_logger`, `mixin`. The paths /async and /sync lead to
consumers. Each report is one line: `report`, and a JSON list. When a client has left, `over` comes
after its reports. The SDK changes Django for a whole process, so tests do not import it.
"""

import asyncio
import json
import sys

import django
import sentry_sdk
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from sentry_sdk.integrations.asgi import SentryAsgiMiddleware
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.transport import Transport


class PrintingTransport(Transport):
    """Prints what Sentry would receive, without the parts that differ from run to run."""

    def capture_envelope(self, envelope):
        for item in envelope.items:
            report = item.payload.json
            if item.type == "event":
                logger, url = report.get("logger"), report.get("request", {}).get("url")
                errors = report.get("exception", {}).get("values", [])
                self.print("event", [error["type"] for error in errors], logger, url)
            elif item.type == "transaction":
                trace = report["contexts"]["trace"]
                spans = [span["description"] for span in report["spans"] if span["op"] == "test"]
                self.print("transaction", report["transaction"], trace.get("status"), spans)

    def print(self, *words):
        print("report", json.dumps(words), flush=True)


settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], LOGGING_CONFIG=None)
sentry_sdk.init("http://key@127.0.0.1/1", transport=PrintingTransport, traces_sample_rate=1.0)
if "ignore_logger" in sys.argv:
    ignore_logger("daphne.server")
django.setup()

from channels.consumer import AsyncConsumer, SyncConsumer  # noqa: E402
from channels.exceptions import StopConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402

from tests.notes.sample_project.timed import Timed  # noqa: E402
from tests.support.servers.daphne_server import serve  # noqa: E402

urlpatterns = [path("page/", lambda request: HttpResponse("ok"))]


MEETING = asyncio.Barrier(2)


class AsyncEcho(AsyncConsumer):
    """It fails if it receives `fail`. Two clients that send `meet` wait for each other."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        meets = event["text"].startswith("meet")
        if meets:
            await MEETING.wait()
        with sentry_sdk.start_span(op="test", name=event["text"]):
            if event["text"] == "fail":
                raise KeyError("ada")
        if meets:
            await MEETING.wait()
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class SyncEcho(SyncConsumer):
    """It fails if it receives `fail`."""

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        with sentry_sdk.start_span(op="test", name=event["text"]):
            if event["text"] == "fail":
                raise KeyError("ada")
        self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer()


def with_mixin(consumer):
    return type(consumer.__name__, (Timed, consumer), {}) if "mixin" in sys.argv else consumer


websocket = URLRouter(
    [
        path("async", with_mixin(AsyncEcho).as_asgi()),
        path("sync", with_mixin(SyncEcho).as_asgi()),
    ]
)
if "middleware" in sys.argv:
    websocket = SentryAsgiMiddleware(websocket)
protocols = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": websocket})


async def application(scope, receive, send):
    try:
        await protocols(scope, receive, send)
    finally:
        print("over", flush=True)


if __name__ == "__main__":
    serve(application)
