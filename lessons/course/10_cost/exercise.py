"""Lesson 10: a lobby that goes to the database's thread where it must, and only there.

Every frame gets `pong`. The event `accounts.changed`, which other parts of a site send over the
channel layer (lesson 11), gets the number of accounts that there are now: `2 accounts`. All of
that works. But for each event, `AsyncConsumer.dispatch` goes to the database's thread to look
after its connections, and three of the four handlers ask no database.

Spare those three the way: while `websocket.connect`, `websocket.receive` and
`websocket.disconnect` are handled, no job is handed to a thread. `accounts.changed` must still
find the database when its server was restarted. An event without a handler, and an event whose type
begins with an underscore, raise ValueError as before. An event without a type may raise any
exception.
"""

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User


class Lobby(AsyncConsumer):
    # TODO: override `async def dispatch(self, message)`, which calls the handler of an event.

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": "pong"})

    async def accounts_changed(self, event):
        count = await User.objects.acount()
        await self.send({"type": "websocket.send", "text": f"{count} accounts"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
