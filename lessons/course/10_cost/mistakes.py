"""Lesson 10: the classic wrong versions of the lobby."""

import asyncio

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.consumer import AsyncConsumer, get_handler_name
from channels.db import aclose_old_connections
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User
from django.db import DatabaseError, close_old_connections


class Handlers(AsyncConsumer):
    """The handlers, all of them right; what each version below spoils is its dispatch."""

    lean = ("websocket.connect", "websocket.receive", "websocket.disconnect")

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": "pong"})

    async def accounts_changed(self, event):
        await self.tell(await User.objects.acount())

    async def tell(self, count):
        await self.send({"type": "websocket.send", "text": f"{count} accounts"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class LeanForAll(Handlers):
    """Spares every event the way, the one whose handler asks the database too."""

    diagnosis = "lean-dispatch-database"

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)


class LooksAfterTheWrongThread(Handlers):
    """Calls close_old_connections() on the loop: cheap, and each thread has its own connections."""

    diagnosis = "lean-dispatch-database"

    async def dispatch(self, message):
        close_old_connections()
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)


class LooksAfterSomeThread(Handlers):
    """Takes any thread of the pool for the one where the queries run."""

    diagnosis = "lean-dispatch-database"

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        if message["type"] not in self.lean:
            await sync_to_async(close_old_connections, thread_sensitive=False)()
        await handler(message)


class LooksAfterTheConnectionsLater(Handlers):
    """Asks first and looks after the connections when it has the answer, or does not get one."""

    diagnosis = "lean-dispatch-database"

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)
        if message["type"] not in self.lean:
            await aclose_old_connections()


class AsksInTheThreadItself(LeanForAll):
    """Believes that sync_to_async does what database_sync_to_async does."""

    diagnosis = "lean-dispatch-database"

    async def accounts_changed(self, event):
        await self.tell(await sync_to_async(User.objects.count)())


class AsksOnTheLoop(LeanForAll):
    """Believes that without the way to the thread, the plain ORM is as good."""

    diagnosis = "orm-in-async"

    async def accounts_changed(self, event):
        await self.tell(User.objects.count())


class ListsTheMethods(Handlers):
    """Writes the types as the methods are named, so that none is ever found in the list."""

    diagnosis = "needless-thread-hop"
    lean = ("websocket_connect", "websocket_receive", "websocket_disconnect")

    async def dispatch(self, message):
        if message.get("type") in self.lean:
            await getattr(self, get_handler_name(message))(message)
        else:
            await super().dispatch(message)


class LeanTheOtherWayRound(Handlers):
    """Takes the list of the lean for the list of those that go to the thread."""

    diagnosis = "needless-thread-hop"

    async def dispatch(self, message):
        if message.get("type") in self.lean:
            await super().dispatch(message)
        else:
            handler = getattr(self, get_handler_name(message), None)
            if handler is None:
                raise ValueError(f"No handler for message type {message['type']}")
            await handler(message)


class OnlyTheFrames(Handlers):
    """Thinks of the frames alone; connect and disconnect come once for each client, too."""

    diagnosis = "needless-thread-hop"

    async def dispatch(self, message):
        if message.get("type") == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)


class GivesTheConnectionAThread(Handlers):
    """Gives each connection a thread of its own: no queue any more, but the way is as long."""

    diagnosis = "needless-thread-hop"

    async def __call__(self, scope, receive, send):
        async with ThreadSensitiveContext():
            await super().__call__(scope, receive, send)


class CallsSuperAsWell(Handlers):
    """Awaits the handler itself, and then calls super(), as one does: each handler runs twice."""

    diagnosis = "accept-twice"

    async def dispatch(self, message):
        if message.get("type") in self.lean:
            await getattr(self, get_handler_name(message))(message)
        await super().dispatch(message)


class DoesNotWait(Handlers):
    """Lets a task do it, so that nobody waits for the thread: StopConsumer ends the task alone."""

    diagnosis = "no-stop-consumer"

    async def dispatch(self, message):
        self.at_work = asyncio.create_task(super().dispatch(message))


class NoNameCheck(Handlers):
    """Makes the method's name from the type by hand; whoever sends `__eq__` reaches that."""

    diagnosis = "any-method"

    async def dispatch(self, message):
        handler = getattr(self, message["type"].replace(".", "_"), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        if message["type"] not in self.lean:
            await aclose_old_connections()
        await handler(message)


class PassesUnknownEventsOver(Handlers):
    """Believes that an event without a handler is nobody's business."""

    diagnosis = "missing-handler-ignored"

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if message.get("type") in self.lean:
            await handler(message)
        elif handler is not None:
            await super().dispatch(message)


class RemembersTheAnswer(LeanForAll):
    """Asks the database once and never again; the number of accounts changes meanwhile."""

    diagnosis = "reply-differs"
    count = None

    async def accounts_changed(self, event):
        if self.count is None:
            self.count = await User.objects.acount()
        await self.tell(self.count)


class PassesTheErrorOver(LeanForAll):
    """Takes a lost connection for bad luck: it stays lost, since nothing opens another."""

    diagnosis = "no-reply"

    async def accounts_changed(self, event):
        try:
            await self.tell(await User.objects.acount())
        except DatabaseError:
            pass
