"""A consumer for htmx: a form sends its fields, and the answer is HTML."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.utils.html import format_html

MESSAGE = '<div id="messages" hx-swap-oob="beforeend"><p>{}</p></div>'


class HtmlChat(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            frame = json.loads(event.get("text") or "")
            fields = frame.get("body", frame)  # htmx 4 sends {"headers": …, "body": fields}
            html = format_html(MESSAGE, str(fields["message"])[:1000])
        except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
            return  # this was not sent by the form
        await self.send({"type": "websocket.send", "text": html})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
