"""Lesson 22, solved: a ticker. A client that reconnects gets all the news that it missed."""

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
        query = parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        after = query.get("after", ["0"])[0]
        # isdigit() is true for "²", but int("²") fails. 18 digits are enough for any table.
        if not re.fullmatch(r"[0-9]{1,18}", after):
            await self.send({"type": "websocket.close", "code": 4400})
            return
        self.last = int(after)
        # Join before the read: the message of a row that is saved after the read arrives.
        await self.channel_layer.group_add("ticker", self.channel_name)
        await self.catch_up()

    async def websocket_receive(self, event):
        text = event.get("text")
        if not text or self.last is None:
            return
        # Refuse before the save: a row that is too large for a frame ends every later client.
        if len(text) > Entry.MAX_LENGTH:
            await self.send_json({"error": "too long"})
        else:
            entry = await Entry.objects.acreate(text=text)
            news = {"type": "ticker.news", "id": entry.id, "text": entry.text}
            await self.channel_layer.group_send("ticker", news)

    async def ticker_news(self, event):
        # The message says when to look. The database says what is new.
        await self.catch_up()

    async def catch_up(self):
        async for entry in Entry.objects.filter(id__gt=self.last).order_by("id"):
            await self.send_json({"id": entry.id, "text": entry.text})
            self.last = entry.id

    async def send_json(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
