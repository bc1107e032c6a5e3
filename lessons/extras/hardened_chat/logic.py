"""The logic of a chat room, independent of the consumer: it needs accept(), send_json(), close().

The database stores the messages. The layer only says that there is a new one. Then each consumer
reads all messages after the last one that it has sent to its client.
"""

import asyncio
import logging
import random
from contextlib import suppress
from functools import wraps

from channels.consumer import get_handler_name

from lessons.extras.hardened_chat import store
from lessons.extras.hardened_chat.database import run_query
from lessons.extras.hardened_chat.frames import InvalidFrame, parse_frame
from lessons.extras.hardened_chat.handshake import read_handshake
from lessons.extras.hardened_chat.presence import presence_in
from lessons.extras.hardened_chat.rate_limit import RateLimit
from lessons.extras.hardened_chat.receipts import Receipts
from lessons.extras.hardened_chat.revocation import room_group, user_group
from lessons.extras.hardened_chat.store import AccessDenied

HEARTBEAT_INTERVAL = 10  # seconds; a presence row is stale after three of them
TYPING_INTERVAL = 2  # seconds; more frequent notices would say nothing new
IDLE_TOO_LONG, TOO_SLOW, FLOOD = 4408, 4413, 4429

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
    is_ready = False  # whether the client has its history
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

    async def dispatch(self, message):
        """Call the handler without the trip to the database thread that Channels makes before it.

        run_query() checks the database connections too, and all queries of the chat go through it.
        """
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)

    # Join and leave

    async def join(self):
        """Join the groups, then read the history, so that no message is missed.

        Accept before that. A client without access must be accepted too, because a rejection
        cannot carry a code. And Daphne gives up a handshake that waits five seconds for a query.
        """
        await self.accept()
        try:
            self.seen, self.client = read_handshake(self.scope, self.channel_name)
            self.presence = presence_in(self.client.room)
            await self.join_groups()
            self.last, page = await run_query(store.join, self.client, self.seen)
            self.joined = True
            self.log(logging.INFO, "joined")
            self.presence.announce()
            self.rate_limit, self.receipts = RateLimit(now()), Receipts()
            self.heartbeat = asyncio.create_task(self.send_heartbeats())
            await self.catch_up(page)
        except AccessDenied as denied:
            await self.end(denied.code)

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
            await run_query(store.delete_presence, self.client)
        finally:
            with suppress(Exception):  # the layer may be unreachable
                for group in self.group_names:
                    await self.channel_layer.group_discard(group, self.channel_name)
            self.presence.announce()

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
        # The first one at a random time: clients that came together must not all ask together.
        await asyncio.sleep(HEARTBEAT_INTERVAL * random.random())
        while True:
            with suppress(Exception):  # full channel or unreachable layer: try again next time
                await self.channel_layer.send(self.channel_name, {"type": "chat.check"})
            await asyncio.sleep(HEARTBEAT_INTERVAL)

    # Frames from the client

    @only_joined
    async def handle_frame(self, text):
        if self.receipts.confirm(text):
            await self.catch_up()  # the server has asked for this frame, so it has no limit
            return
        allowed = self.rate_limit.take(now())
        if self.rate_limit.is_flooded:
            raise AccessDenied(FLOOD)
        try:
            if not allowed:
                raise InvalidFrame("Too fast: wait a second.")
            request = parse_frame(text)
            if "message" in request:
                await self.post_message(request)
            else:
                await self.announce_typing()
        except InvalidFrame as error:
            self.log(logging.WARNING, "invalid frame: %s", error)
            await self.send_frame({"error": str(error)} | error.details)

    async def post_message(self, request):
        id = await run_query(store.save_message, self.client, request["message"], request["key"])
        saved = {"type": "chat.saved", "id": id}
        await self.channel_layer.group_send(room_group(self.client.room), saved)
        if id > self.last:  # that layer message may be lost; the author's client does not wait
            await self.catch_up()
        if request["key"] and self.seen is not None:
            await self.send_frame({"saved": request["key"]})

    async def announce_typing(self):
        if now() - self.typed_at < TYPING_INTERVAL or not self.presence.take_typing_turn():
            return
        self.typed_at = now()
        await run_query(store.check_access, self.client)
        name = self.scope["user"].get_username() or None
        notice = {"type": "chat.typing", "by": name, "from": self.channel_name}
        await self.channel_layer.group_send(room_group(self.client.room), notice)

    # Messages from the layer

    @only_joined
    async def chat_saved(self, event):
        if event["id"] > self.last:  # else an earlier message has led to a read that included it
            await self.catch_up()

    @only_joined
    async def chat_typing(self, event):
        is_for_client = self.seen is not None and event["from"] != self.channel_name
        if is_for_client and not self.receipts.is_full:
            await self.send_frame({"typing": event["by"]})

    @only_joined
    async def chat_presence(self, event):
        await self.send_users(await self.presence.users_after(event["id"]))

    @only_joined
    async def chat_check(self, event):
        """Check the client's rights, and send what a lost layer message did not announce."""
        if self.rate_limit.is_idle(now()):
            raise AccessDenied(IDLE_TOO_LONG)
        if self.receipts.is_late(now()):
            raise AccessDenied(TOO_SLOW)
        await self.join_groups()  # a layer that was unreachable may have lost its groups
        await self.catch_up(await run_query(store.refresh, self.client, self.last))
        await self.send_users(await self.presence.recent_users())

    # Frames to the client

    async def catch_up(self, page=None):
        """Send all messages after the client's last one, in order, each once.

        Stop if the client has not read enough; its next receipt goes on. `page` is the first page
        of the messages, if it has been read already.
        """
        while not self.receipts.is_full:
            if page is None:
                page = await run_query(store.messages_after, self.client, self.last)
            for message in page:
                if self.receipts.is_full:
                    return
                await self.send_frame(message)
                self.last = message["id"]
            if len(page) < store.PAGE_SIZE:  # the last page
                await self.send_ready()
                return
            page = None

    async def send_ready(self):
        if self.seen is not None and not self.is_ready:
            self.is_ready = True
            await self.send_frame({"ready": self.last})  # later messages are new

    async def send_users(self, users):
        if self.seen is not None and users != self.sent_users and not self.receipts.is_full:
            self.sent_users = users
            await self.send_frame(users)

    async def send_frame(self, frame):
        """Send a frame in the form that the client knows. Now and then, ask for a receipt."""
        if self.seen is None:
            await self.send_json(classic(frame))
            return
        await self.send_json(frame)
        token = self.receipts.count_frame(now())
        if token is not None:
            await self.send_json({"confirm": token})


def now():
    return asyncio.get_running_loop().time()


def classic(frame):
    """The frame for a client without `?seen=`: the tutorial's client shows only messages."""
    return {"message": frame["message"] if "message" in frame else frame["error"]}
