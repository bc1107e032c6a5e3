"""Lesson 22: a ticker. A client that reconnects gets all the news that it missed.

Each row of `Entry` is a piece of news. The client gets it as text, `{"id": 7, "text": "seven"}`.
A client connects with the last id that it saw, `?after=7`, and gets all newer rows; without
`after`, all rows. Then it gets each new row. No row is missing, no row comes twice, and the ids
only grow, even if other code writes at any moment. Rows are never changed or deleted. One query may
read all rows.

If `after` is not a number of 1 to 18 digits, accept, and close with code 4400. The later frames of
this client save no row and get no answer. You choose what `?after=` without a value and a second
`after` mean, and whether digits of other scripts are digits.

A client's text frame is saved as a row, unless it is empty or has more than 1,000 characters, as
`len()` counts them. For a longer text, the client gets the text `{"error": "too long"}`, and stays
connected. A binary frame saves nothing. The code that saves a row (this consumer, or a view) then
sends a message to the group "ticker": `{"type": "ticker.news", "id": 7, "text": "seven"}`. The
message may be lost, come late, or come twice, and its row may not exist. After any message, a
client has all rows that were saved before. A row may also come before its message.

However a connection ends, its channel leaves the group. Ticker stays an AsyncConsumer.
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
        # TODO 1: check the client's text, and the order of the steps below.
        self.last = int(query.get("after", ["0"])[0])
        async for entry in Entry.objects.filter(id__gt=self.last):
            await self.send_json({"id": entry.id, "text": entry.text})
        await self.channel_layer.group_add("ticker", self.channel_name)

    async def websocket_receive(self, event):
        if event.get("text") and self.last is not None:
            # TODO 2: refuse a text that is too long.
            entry = await Entry.objects.acreate(text=event["text"])
            news = {"type": "ticker.news", "id": entry.id, "text": entry.text}
            await self.channel_layer.group_send("ticker", news)

    async def ticker_news(self, event):
        # TODO 3: this handler trusts that the layer delivers each row, once and in order.
        await self.send_json({"id": event["id"], "text": event["text"]})

    async def send_json(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
