"""Serves pages with htmx 2 and htmx 4, and consumers that answer their forms."""

import json
from importlib.util import find_spec
from pathlib import Path

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

from tests.support.servers.daphne_server import serve

FOLDER = Path(find_spec("django_htmx").origin).parent / "static/django_htmx"
PAGE = """<!DOCTYPE html>
<title>htmx</title><link rel="icon" href="data:,">
<script src="/htmx-{version}.min.js"></script><script src="/ext/hx-ws-{version}.min.js"></script>
<main hx-ext="ws" {connect}="/ws/{name}/">
  <div id="messages"><p>first</p></div>
  <form {send}><input name="message"><button>Send</button></form>
</main>"""
ATTRIBUTES = {
    "2": {"connect": "ws-connect", "send": "ws-send"},
    "4": {"connect": "hx-ws:connect", "send": "hx-ws:send"},
}


class Pages(AsyncConsumer):
    """`/2/chat/`: the page with htmx 2 that connects to `/ws/chat/`. And the files of htmx."""

    async def http_request(self, event):
        if self.scope["path"].endswith(".js"):
            kind, body = b"text/javascript", (FOLDER / self.scope["path"][1:]).read_bytes()
        else:
            version, name = self.scope["path"].strip("/").split("/")
            page = PAGE.format(version=version, name=name, **ATTRIBUTES[version])
            kind, body = b"text/html", page.encode()
        headers = [(b"content-type", kind)]
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def http_disconnect(self, event):
        raise StopConsumer()


class Repeater(AsyncConsumer):
    """Sends the text of the form back, as HTML."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        frame = json.loads(event["text"])
        html = frame.get("body", frame)["message"]
        await self.send({"type": "websocket.send", "text": html})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


if __name__ == "__main__":
    settings.configure()
    from tests.notes.sample_project.html_chat import HtmlChat

    routes = [path("ws/chat/", HtmlChat.as_asgi()), path("ws/repeater/", Repeater.as_asgi())]
    serve(ProtocolTypeRouter({"http": Pages.as_asgi(), "websocket": URLRouter(routes)}))
