"""Lesson 22: the classic wrong versions of the ticker."""

import asyncio
import json
import re
from urllib.parse import parse_qs

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from db_demo.models import Entry


class RightTicker(AsyncConsumer):
    """The complete and right ticker. Each version below spoils one method."""

    last = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("ticker", self.channel_name)

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        query = parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        await self.start(query.get("after", ["0"])[0])

    async def start(self, after):
        if re.fullmatch(r"[0-9]{1,18}", after):
            self.set_last(int(after))
            await self.join()
            await self.catch_up()
        else:
            await self.send({"type": "websocket.close", "code": 4400})

    async def join(self):
        await self.channel_layer.group_add("ticker", self.channel_name)

    async def websocket_receive(self, event):
        text = event.get("text")
        if text and self.last is not None:
            if self.is_short(text):
                await self.publish(text)
            else:
                await self.send_json({"error": "too long"})

    def is_short(self, text):
        return len(text) <= 1000

    async def publish(self, text):
        entry = await Entry.objects.acreate(text=text)
        await self.notify(entry)

    async def notify(self, entry):
        news = {"type": "ticker.news", "id": entry.id, "text": entry.text}
        await self.channel_layer.group_send("ticker", news)

    async def ticker_news(self, event):
        await self.catch_up()

    def newer(self):
        return Entry.objects.filter(id__gt=self.last).order_by("id")

    async def catch_up(self):
        async for entry in self.newer():
            await self.send_entry(entry.id, entry.text)
            self.set_last(entry.id)

    def set_last(self, last):
        self.last = last

    async def send_entry(self, id, text):
        await self.send_json({"id": id, "text": text})

    async def send_json(self, data):
        await self.send({"type": "websocket.send", "text": json.dumps(data)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class ReadsBeforeItJoins(RightTicker):
    """Reads before it joins, because the client sees old rows first. Rows in between are lost."""

    diagnosis = "history-before-joining"

    async def start(self, after):
        await super().start(after)
        if self.last is not None:
            await super().join()

    async def join(self):
        pass


class NeverJoins(RightTicker):
    """Believes that a consumer with a handler for a message receives the message."""

    diagnosis = "group-not-joined"

    async def join(self):
        pass


class SendsTheHistoryInATask(RightTicker):
    """Sends old and new rows at the same time, each once: 7 may come before 1 to 6."""

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
            await self.send_entry(entry.id, entry.text)

    async def ticker_news(self, event):
        await self.send_entry(event["id"], event["text"])

    async def send_entry(self, id, text):
        if id not in self.sent:
            self.sent.add(id)
            await super().send_entry(id, text)


class SendsBoth(RightTicker):
    """Sends the row of each message. A row saved between join and read comes twice."""

    diagnosis = "sent-twice"

    async def ticker_news(self, event):
        await self.send_entry(event["id"], event["text"])


class TrustsTheMessages(RightTicker):
    """Sends only newer rows, but takes them from the messages, which may be lost."""

    diagnosis = "layer-message-trusted"

    async def ticker_news(self, event):
        if event["id"] > self.last:
            await self.send_entry(event["id"], event["text"])
            self.last = event["id"]


class AsksForTheNewestAfterwards(RightTicker):
    """Sets the last id to the newest in the table. That row may be newer than the rows sent."""

    diagnosis = "entry-missed"

    async def catch_up(self):
        await super().catch_up()
        newest = await Entry.objects.order_by("id").alast()
        self.last = max(self.last, newest.id if newest else 0)


class LooksOnceASecond(RightTicker):
    """Saves queries: one look a second. A row that is saved sooner waits for another message."""

    diagnosis = "message-not-read"
    looked_at = -1.0

    async def ticker_news(self, event):
        now = asyncio.get_running_loop().time()
        if now >= self.looked_at + 1:
            self.looked_at = now
            await self.catch_up()


class OrdersByTime(RightTicker):
    """Orders by time. A clock that is set back, or an import, writes earlier times."""

    diagnosis = "wrong-order"

    def newer(self):
        return Entry.objects.filter(id__gt=self.last).order_by("written_at")

    async def catch_up(self):
        async for entry in self.newer():
            await self.send_entry(entry.id, entry.text)
            self.last = max(self.last, entry.id)


class SendsTheFirstFifty(RightTicker):
    """Reads 50 rows only, and never reads the next 50."""

    diagnosis = "history-cut"

    def newer(self):
        return super().newer()[:50]


class TrustsAnyText(RightTicker):
    """Takes any text in the URL for a number."""

    diagnosis = "last-id-unchecked"

    async def start(self, after):
        self.last = int(after)
        await self.join()
        await self.catch_up()


class ClosesBeforeItAccepts(RightTicker):
    """Closes before the accept: the client receives HTTP 403, without the close code."""

    diagnosis = "code-before-accept"

    async def websocket_connect(self, event):
        query = parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        after = query.get("after", ["0"])[0]
        if re.fullmatch(r"[0-9]{1,18}", after):
            await self.send({"type": "websocket.accept"})
        await self.start(after)


class RequiresARow(RightTicker):
    """Closes if no row has this id. But any number asks for the rows that come after it."""

    diagnosis = "last-id-refused"

    async def start(self, after):
        is_number = re.fullmatch(r"[0-9]{1,18}", after)
        if is_number and int(after) and not await Entry.objects.filter(id=int(after)).aexists():
            after = "no such row"
        await super().start(after)


class KeepsTheLastIdOnTheClass(RightTicker):
    """Keeps the last id on the class, where all connections share it."""

    diagnosis = "last-id-shared"

    def set_last(self, last):
        type(self).last = last


class NotifiesBeforeItSaves(RightTicker):
    """Sends the message first. A quick consumer reads before the save, and finds no row."""

    diagnosis = "sent-inside-transaction"

    async def publish(self, text):
        entry = Entry(text=text)
        newest = await Entry.objects.order_by("id").alast()
        entry.id = newest.id + 1 if newest else 1
        await self.notify(entry)
        await Entry.objects.acreate(text=text)


class NotifiesNoOtherClient(RightTicker):
    """Believes that a saved row notifies the other consumers."""

    diagnosis = "member-missed"

    async def notify(self, entry):
        await self.catch_up()


class SavesNothing(RightTicker):
    """Sends the text to connected clients, and saves no row for later clients."""

    diagnosis = "text-not-saved"

    async def publish(self, text):
        news = {"type": "ticker.news", "id": self.last + 1, "text": text}
        await self.channel_layer.group_send("ticker", news)


class SavesEveryFrame(RightTicker):
    """Saves a row for each frame, also for a binary one."""

    diagnosis = "empty-frame-saved"

    async def websocket_receive(self, event):
        if self.last is not None:
            await self.publish(event.get("text") or "")


class SavesForClosedClients(RightTicker):
    """Believes that a closed client sends nothing. Its frame may be in transit already."""

    diagnosis = "refused-text-saved"

    async def websocket_receive(self, event):
        if event.get("text"):
            await self.publish(event["text"])


class SavesAnyLength(RightTicker):
    """Saves a text of any length. JSON makes it longer, and no client can receive its row."""

    diagnosis = "frame-too-large"

    def is_short(self, text):
        return True


class CutsTheText(RightTicker):
    """Saves the beginning of a long text. Its author does not learn that the rest is lost."""

    diagnosis = "long-text-saved"

    def is_short(self, text):
        return True

    async def publish(self, text):
        await super().publish(text[:1000])


class CountsBytes(RightTicker):
    """Counts bytes, so a text in another script may be half as long, or a third."""

    diagnosis = "short-text-refused"

    def is_short(self, text):
        return len(text.encode()) <= 1000


class NeverLeaves(RightTicker):
    """Believes that a group removes a consumer that has ended."""

    diagnosis = "group-leak"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)
