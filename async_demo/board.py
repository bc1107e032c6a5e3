"""Lesson 10: a board of notes, for a page that comes back by itself."""

import itertools
import json
import re
from collections import deque

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict

ids = itertools.count(1)
notes = deque(maxlen=20)  # (id, text), the newest ones; all connections share them
# What happens to a real server by itself: here a client asks for it.
CODES = {"the end": 1000, "restart": 4012, "full": 4013, "log out": 4401}


class Board(AsyncConsumer):
    """A page comes back with its last id. A close code says whether it should, and when."""

    async def websocket_connect(self, event):
        self.closed = False
        # Accept first: a client that is rejected receives no code.
        await self.send({"type": "websocket.accept"})
        after = QueryDict(self.scope["query_string"]).get("after", "0")
        if not re.fullmatch("[0-9]{1,18}", after):
            await self.close(4400)
            return
        for note in list(notes):  # a copy: other clients add notes while this handler awaits
            if note[0] > int(after):
                await self.send_note(*note)

    async def websocket_receive(self, event):
        text = event.get("text")
        if self.closed:
            return
        if text in CODES:
            await self.close(CODES[text])
        elif text:
            note = (next(ids), text[:100])
            notes.append(note)
            await self.send_note(*note)  # lesson 12 sends it to the other clients, too

    async def send_note(self, number, text):
        note = json.dumps({"id": number, "text": text})
        await self.send({"type": "websocket.send", "text": note})

    async def close(self, code):
        self.closed = True
        await self.send({"type": "websocket.close", "code": code})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
