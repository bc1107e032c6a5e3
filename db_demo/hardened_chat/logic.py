"""The logic of a chat room, independent of the consumer: it needs accept(), send_json(), close().

The database stores the messages. The layer only says that there is a new one. Then each consumer
reads all messages after the last one that it has sent to its client.
"""

import asyncio
import logging
from contextlib import suppress
from functools import wraps

from channels.db import database_sync_to_async

from db_demo.hardened_chat import store
from db_demo.hardened_chat.frames import InvalidFrame, parse_frame
from db_demo.hardened_chat.handshake import read_handshake
from db_demo.hardened_chat.rate_limit import RateLimit
from db_demo.hardened_chat.revocation import room_group, user_group
from db_demo.hardened_chat.store import AccessDenied

HEARTBEAT_INTERVAL = 10  # seconds; a presence row is stale after three of them
TYPING_INTERVAL = 2  # seconds; more frequent notices would say nothing new
IDLE_TOO_LONG, FLOOD = 4408, 4429

logger = logging.getLogger(__name__)


def only_joined(handler):
    """Run the handler only for a client that has joined. Close the connection on AccessDenied."""

    @wraps(handler)
    async def guarded(self, event):
        if self.joined:
            try:
                await handler(self, event)
            except AccessDenied as denied:
                await self.end(denied.code)

    return guarded


class ChatLogic:
    """One client in one room."""

    joined = False
    client = None
    heartbeat = None
    typed_at = float("-inf")
    sent_users = None  # the present users, as the client received them last

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.client is not None:
                # A server that stops cancels this task again each second, so shield the clean-up.
                await asyncio.shield(self.leave())

    # Join and leave

    async def join(self):
        """Join the groups, find the position in the history, accept: so no message is missed."""
        try:
            self.seen, self.client = read_handshake(self.scope, self.channel_name)
            await database_sync_to_async(store.add_presence)(self.client)
            await self.join_groups()
            self.last = await database_sync_to_async(store.first_position)(self.client, self.seen)
        except AccessDenied as denied:
            await self.accept()  # a rejection cannot carry a code
            await self.end(denied.code)
            return
        await self.accept()
        self.joined = True
        self.log(logging.INFO, "joined")
        self.rate_limit = RateLimit(now())
        self.heartbeat = asyncio.create_task(self.send_heartbeats())
        await self.catch_up()
        if self.seen is not None:
            await self.send_json({"ready": self.last})  # later messages are new
        await self.announce_users()

    async def join_groups(self):
        for group in self.group_names:
            await self.channel_layer.group_add(group, self.channel_name)

    async def end(self, code):
        """Close the connection. From now on, handlers ignore frames and messages."""
        self.joined = False
        self.log(logging.WARNING, "closed with %s", code)
        await self.close(code)

    async def leave(self):
        """Clean up, however the connection ended. After a killed process, the rows expire."""
        if self.heartbeat is not None:
            self.heartbeat.cancel()
            self.log(logging.INFO, "left")
        try:
            await database_sync_to_async(store.delete_presence)(self.client)
        finally:
            with suppress(Exception):  # the layer may be unreachable
                for group in self.group_names:
                    await self.channel_layer.group_discard(group, self.channel_name)
                await self.announce_users()

    @property
    def group_names(self):
        names = [room_group(self.client.room)]
        if self.client.user_id is not None:
            names.append(user_group(self.client.user_id))
        return names

    def log(self, level, event, *args):
        """Log the event with user and address, so that attacks are visible. Never log a text."""
        who = (self.scope["user"].pk, (self.scope.get("client") or [""])[0])
        logger.log(level, f"user %s at %s: {event}", *who, *args)

    async def send_heartbeats(self):
        # A message to its own channel, so that chat_check() never runs beside another handler.
        # And an exception in a handler ends the connection; in this task nothing would see it.
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL)
            with suppress(Exception):  # full channel or unreachable layer: try again next time
                await self.channel_layer.send(self.channel_name, {"type": "chat.check"})

    # Frames from the client

    @only_joined
    async def handle_frame(self, text):
        allowed = self.rate_limit.take(now())
        if self.rate_limit.is_flooded:
            raise AccessDenied(FLOOD)
        try:
            if not allowed:
                raise InvalidFrame("Too fast: wait a second.")
            request = parse_frame(text)
        except InvalidFrame as error:
            self.log(logging.WARNING, "invalid frame: %s", error)
            await self.send_json({"error": str(error)} | error.details)
            return
        if "message" in request:
            await self.post_message(request)
        else:
            await self.announce_typing()

    async def post_message(self, request):
        save = database_sync_to_async(store.save_message)
        await save(self.client, request["message"], request["key"])
        await self.channel_layer.group_send(room_group(self.client.room), {"type": "chat.saved"})
        # That layer message may be lost. The author receives the saved message in any case.
        await self.catch_up()

    async def announce_typing(self):
        if now() - self.typed_at < TYPING_INTERVAL:
            return
        self.typed_at = now()
        await database_sync_to_async(store.check_access)(self.client)
        name = self.scope["user"].get_username() or None
        notice = {"type": "chat.typing", "by": name, "from": self.channel_name}
        await self.channel_layer.group_send(room_group(self.client.room), notice)

    # Messages from the layer

    @only_joined
    async def chat_saved(self, event):
        await self.catch_up()

    @only_joined
    async def chat_typing(self, event):
        if self.seen is not None and event["from"] != self.channel_name:
            await self.send_json({"typing": event["by"]})

    @only_joined
    async def chat_presence(self, event):
        await self.send_users(event["who"])

    @only_joined
    async def chat_check(self, event):
        """Check the client's rights, and send what a lost layer message did not announce."""
        if self.rate_limit.is_idle(now()):
            raise AccessDenied(IDLE_TOO_LONG)
        await self.join_groups()  # a layer that was unreachable may have lost its groups
        await database_sync_to_async(store.refresh_presence)(self.client)
        await self.catch_up()
        await self.send_users(await database_sync_to_async(store.present_users)(self.client))

    # Frames to the client

    async def catch_up(self):
        """Send all messages after the client's last one, in order, each once."""
        page = [None] * store.PAGE_SIZE
        while len(page) == store.PAGE_SIZE:  # a page that is not full is the last one
            page = await database_sync_to_async(store.messages_after)(self.client, self.last)
            for message in page:
                await self.send_json(message if self.seen is not None else classic(message))
                self.last = message["id"]

    async def announce_users(self):
        users = await database_sync_to_async(store.present_users)(self.client)
        await self.channel_layer.group_send(
            room_group(self.client.room), {"type": "chat.presence", "who": users}
        )

    async def send_users(self, users):
        if self.seen is not None and users != self.sent_users:
            self.sent_users = users
            await self.send_json(users)


def now():
    return asyncio.get_running_loop().time()


def classic(message):
    """The message for a client without `?seen=`, which speaks the protocol of the tutorial."""
    return {"message": message["message"]}
