"""Lesson 22: the classic wrong versions of the ticker."""

import asyncio
import json
import re
from urllib.parse import parse_qs

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from db_demo.models import Entry


class RightTicker(AsyncConsumer):
    """The whole ticker, and right; each version below spoils one method."""

    last = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("ticker", self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        await self.begin(query.get("after", ["0"])[0])

    async def begin(self, after):
        if re.fullmatch(r"[0-9]{1,18}", after):
            self.note(int(after))
            await self.join()
            await self.catch_up()
        else:
            await self.send({"type": "websocket.close", "code": 4400})

    async def join(self):
        await self.channel_layer.group_add("ticker", self.channel_name)

    async def websocket_receive(self, event):
        if event.get("text") and self.last is not None:
            await self.publish(event["text"])

    async def publish(self, text):
        entry = await Entry.objects.acreate(text=text)
        await self.ring(entry)

    async def ring(self, entry):
        news = {"type": "ticker.news", "id": entry.id, "text": entry.text}
        await self.channel_layer.group_send("ticker", news)

    async def ticker_news(self, event):
        await self.catch_up()

    def newer(self):
        return Entry.objects.filter(id__gt=self.last).order_by("id")

    async def catch_up(self):
        async for entry in self.newer():
            await self.tell(entry.id, entry.text)
            self.note(entry.id)

    def note(self, last):
        self.last = last

    async def tell(self, id, text):
        await self.send({"type": "websocket.send", "text": json.dumps({"id": id, "text": text})})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class ReadsBeforeItJoins(RightTicker):
    """Sends the history first, as the client sees it first; what is saved then rings for others."""

    diagnosis = "history-before-joining"

    async def begin(self, after):
        await super().begin(after)
        if self.last is not None:
            await super().join()

    async def join(self):
        pass


class NeverJoins(RightTicker):
    """Believes that a handler for a message is enough to get it."""

    diagnosis = "group-not-joined"

    async def join(self):
        pass


class SendsTheHistoryInATask(RightTicker):
    """Sends each row once, but history and news at the same time: 7 may come before 1 to 6."""

    diagnosis = "live-before-history"
    history = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.history:
                self.history.cancel()

    async def catch_up(self):
        self.sent = set()
        self.history = asyncio.create_task(self.send_history())

    async def send_history(self):
        async for entry in self.newer():
            await self.tell(entry.id, entry.text)

    async def ticker_news(self, event):
        await self.tell(event["id"], event["text"])

    async def tell(self, id, text):
        if id not in self.sent:
            self.sent.add(id)
            await super().tell(id, text)


class SendsBoth(RightTicker):
    """Joins, reads, and sends what rings: a row that was saved in between comes both ways."""

    diagnosis = "sent-twice"

    async def ticker_news(self, event):
        await self.tell(event["id"], event["text"])


class SendsWhatRings(RightTicker):
    """Skips what was in the history, and trusts the layer for the rest."""

    diagnosis = "layer-message-trusted"

    async def ticker_news(self, event):
        if event["id"] > self.last:
            await self.tell(event["id"], event["text"])
            self.last = event["id"]


class AsksForTheNewestAfterwards(RightTicker):
    """Notes the newest id that there is when it has sent the rows; a newer one is there by then."""

    diagnosis = "entry-missed"

    async def catch_up(self):
        await super().catch_up()
        newest = await Entry.objects.order_by("id").alast()
        self.last = max(self.last, newest.id if newest else 0)


class OrdersByTime(RightTicker):
    """Orders by the time of writing, which clocks and imports set back."""

    diagnosis = "wrong-order"

    def newer(self):
        return Entry.objects.filter(id__gt=self.last).order_by("written_at")

    async def catch_up(self):
        async for entry in self.newer():
            await self.tell(entry.id, entry.text)
            self.last = max(self.last, entry.id)


class SendsTheFirstFifty(RightTicker):
    """Limits the reading, and takes what lies beyond for sent."""

    diagnosis = "history-cut"

    def newer(self):
        return super().newer()[:50]


class BelievesTheClient(RightTicker):
    """Takes whatever is in the URL for a number."""

    diagnosis = "last-id-unchecked"

    async def begin(self, after):
        self.last = int(after)
        await self.join()
        await self.catch_up()


class RefusesWithACodeNobodySees(RightTicker):
    """Looks at the id first and closes before the accept; HTTP 403 has no room for the code."""

    diagnosis = "code-before-accept"

    async def websocket_connect(self, event):
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        after = query.get("after", ["0"])[0]
        if re.fullmatch(r"[0-9]{1,18}", after):
            await self.send({"type": "websocket.accept"})
        await self.begin(after)


class WantsARow(RightTicker):
    """Refuses an id that has no row; the row may have been deleted since."""

    diagnosis = "last-id-refused"

    async def begin(self, after):
        is_number = re.fullmatch(r"[0-9]{1,18}", after)
        if is_number and int(after) and not await Entry.objects.filter(id=int(after)).aexists():
            after = "no such row"
        await super().begin(after)


class KeepsThePlaceOnTheClass(RightTicker):
    """Keeps the last id on the class, where all connections have one."""

    diagnosis = "last-id-shared"

    def note(self, last):
        type(self).last = last


class RingsBeforeItSaves(RightTicker):
    """Rings first: who is quick looks, finds nothing, and is not rung for again."""

    diagnosis = "sent-inside-transaction"

    async def publish(self, text):
        entry = Entry(text=text)
        newest = await Entry.objects.order_by("id").alast()
        entry.id = newest.id + 1 if newest else 1
        await self.ring(entry)
        await Entry.objects.acreate(text=text)


class SavesAndIsSilent(RightTicker):
    """Believes that a row which is saved is a row that all are told of."""

    diagnosis = "member-missed"

    async def ring(self, entry):
        await self.catch_up()


class SavesNothing(RightTicker):
    """Sends what is said to those who are there, and keeps it for nobody."""

    diagnosis = "text-not-saved"

    async def publish(self, text):
        news = {"type": "ticker.news", "id": self.last + 1, "text": text}
        await self.channel_layer.group_send("ticker", news)


class SavesEveryFrame(RightTicker):
    """Takes each frame for a text, and saves a row for a binary one, too."""

    diagnosis = "empty-frame-saved"

    async def websocket_receive(self, event):
        if self.last is not None:
            await self.publish(event.get("text") or "")


class ListensToStrangers(RightTicker):
    """Believes that nothing comes from a client that was closed; it may have spoken before."""

    diagnosis = "refused-text-saved"

    async def websocket_receive(self, event):
        if event.get("text"):
            await self.publish(event["text"])


class NeverLeaves(RightTicker):
    """Believes that a group forgets a consumer that has ended."""

    diagnosis = "group-leak"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)
