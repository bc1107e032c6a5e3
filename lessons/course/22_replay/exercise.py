"""Lesson 22: a ticker whose clients may come back and have missed nothing.

Each piece of news is a row of `Entry`. A client gets it as text, `{"id": 7, "text": "seven"}`. It
connects with the last id that it saw, `?after=7`, and gets all newer rows. Without `after`, it gets
all rows. Then it gets each new row. Nothing is left out, nothing comes twice, and the ids only
grow, even if other code writes at any moment. Rows are never changed or deleted.

If `after` is not a number of 1 to 18 digits, accept, and close with code 4400. A client that was
closed saves no row. You choose what `?after=` without a value means, and whether digits of other
scripts are digits.

A client's text frame is saved as a row, unless it is empty. After each save, this consumer or a
view sends a message like `{"type": "ticker.news", "id": 7, "text": "seven"}` to the group "ticker".
The message may be lost, be late, or come twice.
"""

import json
import re
from urllib.parse import parse_qs

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from db_demo.models import Entry


class Ticker(AsyncConsumer):
    last = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("ticker", self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        # TODO 1: look at what the client says, and at the order of what follows.
        self.last = int(query.get("after", ["0"])[0])
        async for entry in Entry.objects.filter(id__gt=self.last):
            await self.tell(entry.id, entry.text)
        await self.channel_layer.group_add("ticker", self.channel_name)

    async def websocket_receive(self, event):
        if event.get("text") and self.last is not None:
            entry = await Entry.objects.acreate(text=event["text"])
            news = {"type": "ticker.news", "id": entry.id, "text": entry.text}
            await self.channel_layer.group_send("ticker", news)

    async def ticker_news(self, event):
        # TODO 2: this takes the layer's word for what is new, and for all of it.
        await self.tell(event["id"], event["text"])

    async def tell(self, id, text):
        await self.send({"type": "websocket.send", "text": json.dumps({"id": id, "text": text})})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
