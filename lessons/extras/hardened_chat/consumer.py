"""The hardened chat: one client in one room.

The database stores the messages. The layer only says that there is a new one. Then each consumer
reads all messages after the last one that it has sent to its client.
"""

import asyncio
import json
import logging
import random
from contextlib import suppress

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer

from auth_demo.token_bucket import TokenBucket
from lessons.extras.backpressure import Unconfirmed
from lessons.extras.hardened_chat import client_input, store
from lessons.extras.hardened_chat.client_input import AccessDenied, Refused
from lessons.extras.hardened_chat.revocation import room_group, user_group
from lessons.extras.models import Presence

HEARTBEAT_INTERVAL = 10  # seconds; a presence row is stale after three of them
IDLE_TIMEOUT = 30 * 60  # seconds without a frame from the client
BURST, SECONDS_PER_FRAME = 20, 0.25  # frames at once, and in the long run
MAX_REFUSED = 100  # frames that were too fast, until the server closes the connection
FRAMES_PER_RECEIPT = 50  # frames to the client; three times as many may be unconfirmed
RECEIPT_TIMEOUT = 20  # seconds that a client has for reading them

logger = logging.getLogger(__name__)


class HardenedChat(AsyncConsumer):
    """Each handler may raise AccessDenied. Then the connection is closed with its code."""

    client = None  # None until the handshake was read
    users = None  # the present users, as the client received them last
    refused = sent = 0  # frames

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.client is not None:
                # A server that stops cancels this task again each second, so shield the clean-up.
                await asyncio.shield(self.leave())

    async def dispatch(self, message):
        try:
            await super().dispatch(message)
        except AccessDenied as denied:
            self.log(logging.WARNING, "closed with %s", denied)
            await self.send({"type": "websocket.close", "code": denied.args[0]})
            raise StopConsumer from None  # handle no frame that is still waiting

    def log(self, level, event, *args):
        """Log the event with user and address, so that attacks are visible. Never log a text."""
        origin = (self.scope["user"].pk, (self.scope.get("client") or [""])[0])
        logger.log(level, f"user %s at %s: {event}", *origin, *args)

    async def websocket_connect(self, event):
        # Accept before the first query: Daphne gives up a handshake that waits five seconds. And
        # accept a client without access too, because a rejection cannot carry a code.
        await self.send({"type": "websocket.accept"})
        self.client = client_input.read_handshake(self.scope, self.channel_name)
        self.groups = [room_group(self.client.room)]
        if self.client.user_id is not None:
            self.groups.append(user_group(self.client.user_id))
        self.now = asyncio.get_running_loop().time
        self.bucket, self.active_at = TokenBucket(BURST, SECONDS_PER_FRAME), self.now()
        self.receipts = Unconfirmed(limit=2, seconds=RECEIPT_TIMEOUT)
        self.heartbeat = asyncio.create_task(self.send_heartbeats())
        self.last = await database_sync_to_async(store.join)(self.client)
        self.log(logging.INFO, "joined")
        await self.chat_check(event)

    async def websocket_disconnect(self, event):
        raise StopConsumer

    async def leave(self):
        """Clean up, however the connection ended. After a killed process, the row expires."""
        self.heartbeat.cancel()
        self.log(logging.INFO, "left")
        try:
            await Presence.objects.filter(channel=self.channel_name).adelete()
        finally:
            for group in self.groups:
                with suppress(Exception):  # the layer may be unreachable
                    await self.channel_layer.group_discard(group, self.channel_name)

    async def send_heartbeats(self):
        # A message to its own channel, so that chat_check() never runs beside another handler.
        # The first one at a random time: clients that came together must not all ask together.
        await asyncio.sleep(HEARTBEAT_INTERVAL * random.random())
        while True:
            with suppress(Exception):  # full channel or unreachable layer: try again next time
                await self.channel_layer.send(self.channel_name, {"type": "chat.check"})
            await asyncio.sleep(HEARTBEAT_INTERVAL)

    async def chat_check(self, event):
        """Check the client's rights, and send what a lost layer message did not announce."""
        if self.now() - self.active_at > IDLE_TIMEOUT:
            raise AccessDenied(client_input.IDLE)
        if self.receipts.is_late:
            raise AccessDenied(client_input.TOO_SLOW)
        for group in self.groups:  # a layer that was unreachable may have lost its groups
            await self.channel_layer.group_add(group, self.channel_name)
        users = await database_sync_to_async(store.refresh)(self.client)
        await self.catch_up()  # after the group_add, so that no message is missed
        if users != self.users and not self.receipts.is_full:
            self.users = users
            await self.send_json(users)

    async def chat_saved(self, event):
        if event["id"] > self.last:  # else an earlier message has led to a read that included it
            await self.catch_up()

    async def catch_up(self):
        """Send the messages after the client's last one, in order, as long as the client reads.

        The rest needs no queue, because it is in the database. A receipt goes on with it.
        """
        while not self.receipts.is_full:
            page = await database_sync_to_async(store.messages_after)(self.client, self.last)
            for message in page:
                await self.send_json(message)
                self.last = message["id"]
            if len(page) < store.PAGE_SIZE:
                return

    async def websocket_receive(self, event):
        text = event.get("text")
        if self.receipts.confirm(text):  # the server has asked for this frame, so it has no limit
            await self.chat_check(event)
            return
        self.active_at = self.now()
        try:
            if self.bucket.take():
                self.refused += 1
                if self.refused > MAX_REFUSED:
                    raise AccessDenied(client_input.TOO_MANY)
                raise Refused("Too fast: wait a second.")
            await self.post_message(*client_input.parse_frame(text))
        except Refused as error:
            self.log(logging.WARNING, "invalid frame: %s", error)
            await self.send_json(error.answer)

    async def post_message(self, text, key):
        id = await database_sync_to_async(store.save_message)(self.client, text, key)
        saved = {"type": "chat.saved", "id": id}
        await self.channel_layer.group_send(room_group(self.client.room), saved)
        await self.chat_saved(saved)  # that layer message may be lost; the author does not wait
        if key:
            await self.send_json({"saved": key})

    async def send_json(self, frame):
        """Send a frame. Now and then, ask for a receipt: the client sends the key back."""
        await self.send({"type": "websocket.send", "text": json.dumps(frame)})
        self.sent += 1
        if self.sent % FRAMES_PER_RECEIPT == 0:
            await self.send_json({"confirm": self.receipts.new_key()})
