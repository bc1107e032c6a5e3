"""What happens in a chat room, on whichever consumer: it needs accept(), tell() and shut().

The layer rings, the database remembers: a message is saved, and the room is told that there is
something to read; each consumer then reads what comes after the last that its client has.
"""

import asyncio
import logging
from contextlib import suppress
from functools import wraps

from channels.db import database_sync_to_async

from db_demo.chat import frames, store
from db_demo.chat.handshake import read_handshake
from db_demo.chat.limits import Allowance
from db_demo.chat.revoked import room_group, user_group
from db_demo.chat.store import Denied

BEAT = 10  # seconds; three may be lost before a seat expires
TYPING_PAUSE = 2  # seconds in which a second notice says nothing new
IDLE_TOO_LONG, FLOOD = 4408, 4429

logger = logging.getLogger(__name__)


def while_inside(handler):
    """Run the handler for a visitor who is inside, and show out one who may be no longer."""

    @wraps(handler)
    async def guarded(self, event):
        if self.inside:
            try:
                await handler(self, event)
            except Denied as denied:
                await self.end(denied.code)

    return guarded


class Conversation:
    """One client in one room."""

    inside = False
    visitor = None
    beating = None
    typed_at = float("-inf")
    shown = None  # who is here, as the client was told last

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.visitor is not None:
                # A server that has waited too long cancels, and again each second.
                await asyncio.shield(self.leave())

    # Coming and going

    async def enter(self):
        """Join, look where to begin, and let the client in, in this order: nothing is missed."""
        try:
            self.seen, self.visitor = read_handshake(self.scope, self.channel_name)
            await database_sync_to_async(store.take_seat)(self.visitor)
            await self.join()
            self.last = await database_sync_to_async(store.start)(self.visitor, self.seen)
        except Denied as denied:
            await self.accept()  # a refusal would say no code
            await self.end(denied.code)
            return
        await self.accept()
        self.inside = True
        self.log(logging.INFO, "came in")
        self.allowance = Allowance(now())
        self.beating = asyncio.create_task(self.beat())
        await self.catch_up()
        if self.seen is not None:
            await self.tell({"ready": self.last})  # what comes now is new
        await self.tell_who_is_here()

    async def join(self):
        for group in self.groups_of_visitor:
            await self.channel_layer.group_add(group, self.channel_name)

    async def end(self, code):
        """Show the client out; what is still on its way to it is passed over."""
        self.inside = False
        self.log(logging.WARNING, "shown out with %s", code)
        await self.shut(code)

    async def leave(self):
        """Reached whatever ends the connection; what a killed process leaves here expires."""
        if self.beating is not None:
            self.beating.cancel()
            self.log(logging.INFO, "left")
        try:
            await database_sync_to_async(store.leave_seat)(self.visitor)
        finally:
            with suppress(Exception):  # a layer that is gone has no group to be left
                for group in self.groups_of_visitor:
                    await self.channel_layer.group_discard(group, self.channel_name)
                await self.tell_who_is_here()

    @property
    def groups_of_visitor(self):
        groups = [room_group(self.visitor.room)]
        if self.visitor.user_id is not None:
            groups.append(user_group(self.visitor.user_id))
        return groups

    def log(self, level, what, *args):
        """For whoever has to see an attack: who and what, never a word of what was said."""
        who = (self.scope["user"].pk, (self.scope.get("client") or [""])[0])
        logger.log(level, f"user %s at %s: {what}", *who, *args)

    async def beat(self):
        # To its own channel: a handler at a time, and one that raises ends the connection.
        while True:
            await asyncio.sleep(BEAT)
            with suppress(Exception):  # the channel is full, or the layer away: the next one comes
                await self.channel_layer.send(self.channel_name, {"type": "chat.beat"})

    # What the client says

    @while_inside
    async def hear(self, text):
        allowed = self.allowance.take(now())
        if self.allowance.is_flooded:
            raise Denied(FLOOD)
        try:
            if not allowed:
                raise frames.Refused("Too fast: wait a second.")
            request = frames.read(text)
        except frames.Refused as refused:
            self.log(logging.WARNING, "refused: %s", refused)
            await self.tell({"error": str(refused)} | refused.about)
            return
        if "message" in request:
            await self.say(request)
        else:
            await self.show_typing()

    async def say(self, request):
        await database_sync_to_async(store.save)(self.visitor, request["message"], request["key"])
        await self.channel_layer.group_send(room_group(self.visitor.room), {"type": "chat.ring"})
        # The ring may be lost on its way; that it was saved, the author hears all the same.
        await self.catch_up()

    async def show_typing(self):
        if now() - self.typed_at < TYPING_PAUSE:
            return
        self.typed_at = now()
        await database_sync_to_async(store.check)(self.visitor)
        name = self.scope["user"].get_username() or None
        notice = {"type": "chat.typing", "by": name, "from": self.channel_name}
        await self.channel_layer.group_send(room_group(self.visitor.room), notice)

    # What the room says

    @while_inside
    async def chat_ring(self, event):
        await self.catch_up()

    @while_inside
    async def chat_typing(self, event):
        if self.seen is not None and event["from"] != self.channel_name:
            await self.tell({"typing": event["by"]})

    @while_inside
    async def chat_presence(self, event):
        await self.show_who_is_here(event["who"])

    @while_inside
    async def chat_beat(self, event):
        """What was not told, or got lost, is noticed here."""
        if self.allowance.is_idle(now()):
            raise Denied(IDLE_TOO_LONG)
        await self.join()  # a layer that was away may have come back without its groups
        await database_sync_to_async(store.keep_seat)(self.visitor)
        await self.catch_up()
        await self.show_who_is_here(await database_sync_to_async(store.who_is_here)(self.visitor))

    # What the client is told

    async def catch_up(self):
        """Send all that comes after the last message that the client has, in order, once."""
        page = [None] * store.PAGE
        while len(page) == store.PAGE:  # a page that is not full is the last
            page = await database_sync_to_async(store.since)(self.visitor, self.last)
            for message in page:
                await self.tell(message if self.seen is not None else classic(message))
                self.last = message["id"]

    async def tell_who_is_here(self):
        who = await database_sync_to_async(store.who_is_here)(self.visitor)
        await self.channel_layer.group_send(
            room_group(self.visitor.room), {"type": "chat.presence", "who": who}
        )

    async def show_who_is_here(self, who):
        if self.seen is not None and who != self.shown:
            self.shown = who
            await self.tell(who)


def now():
    return asyncio.get_running_loop().time()


def classic(message):
    """For a client that has not said what it has seen: the tutorial's, which knows no more."""
    return {"message": message["message"]}
