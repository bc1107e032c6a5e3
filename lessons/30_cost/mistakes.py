"""Lesson 30: the classic wrong versions of the lobby."""

import asyncio

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.consumer import AsyncConsumer, get_handler_name
from channels.db import aclose_old_connections
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User
from django.db import DatabaseError, close_old_connections


class Handlers(AsyncConsumer):
    """The right handlers. Each class below has a wrong dispatch or handler."""

    lean = ("websocket.connect", "websocket.receive", "websocket.disconnect")

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": "pong"})

    async def accounts_changed(self, event):
        await self.send_count(await User.objects.acount())

    async def send_count(self, count):
        await self.send({"type": "websocket.send", "text": f"{count} accounts"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class LeanForAll(Handlers):
    """Skips the thread for every event, even if its handler queries the database."""

    diagnosis = "lean-dispatch-database"

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)


class LooksAfterTheWrongThread(Handlers):
    """Calls close_old_connections() in the loop. Each thread has its own connections."""

    diagnosis = "lean-dispatch-database"

    async def dispatch(self, message):
        close_old_connections()
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)


class LooksAfterSomeThread(Handlers):
    """Checks the connections in another thread than the one of the queries."""

    diagnosis = "lean-dispatch-database"

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        if message["type"] not in self.lean:
            await sync_to_async(close_old_connections, thread_sensitive=False)()
        await handler(message)


class LooksAfterTheConnectionsLater(Handlers):
    """Checks the connections after the query."""

    diagnosis = "lean-dispatch-database"

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        await handler(message)
        if message["type"] not in self.lean:
            await aclose_old_connections()


class AsksInTheThreadItself(LeanForAll):
    """Assumes that sync_to_async checks connections, as database_sync_to_async does."""

    diagnosis = "lean-dispatch-database"

    async def accounts_changed(self, event):
        await self.send_count(await sync_to_async(User.objects.count)())


class AsksOnTheLoop(LeanForAll):
    """Assumes that without the thread, the sync ORM works in async code."""

    diagnosis = "orm-in-async"

    async def accounts_changed(self, event):
        await self.send_count(User.objects.count())


class ListsTheMethods(Handlers):
    """Writes the types like the methods, so none of them is in the list."""

    diagnosis = "needless-thread-hop"
    lean = ("websocket_connect", "websocket_receive", "websocket_disconnect")

    async def dispatch(self, message):
        if message.get("type") in self.lean:
            await getattr(self, get_handler_name(message))(message)
        else:
            await super().dispatch(message)


class LeanTheOtherWayRound(Handlers):
    """Uses the list in the wrong direction: the lean types go to the thread."""

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
    """Thinks of frames only, and forgets connect and disconnect."""

    diagnosis = "needless-thread-hop"

    async def dispatch(self, message):
        if message.get("type") == "websocket.receive":
            await self.websocket_receive(message)
        else:
            await super().dispatch(message)


class GivesTheConnectionAThread(Handlers):
    """Gives each connection its own thread. Each event still costs a job."""

    diagnosis = "needless-thread-hop"

    async def __call__(self, scope, receive, send):
        async with ThreadSensitiveContext():
            await super().__call__(scope, receive, send)


class CallsSuperAsWell(Handlers):
    """Awaits the handler and then calls super(), so each handler runs twice."""

    diagnosis = "accept-twice"

    async def dispatch(self, message):
        if message.get("type") in self.lean:
            await getattr(self, get_handler_name(message))(message)
        await super().dispatch(message)


class DoesNotWait(Handlers):
    """Dispatches in a task. StopConsumer then ends only the task."""

    diagnosis = "no-stop-consumer"

    async def dispatch(self, message):
        self.at_work = asyncio.create_task(super().dispatch(message))


class NoNameCheck(Handlers):
    """Makes the method's name from the type itself, so the type `__eq__` calls a method."""

    diagnosis = "any-method"

    async def dispatch(self, message):
        handler = getattr(self, message["type"].replace(".", "_"), None)
        if handler is None:
            raise ValueError(f"No handler for message type {message['type']}")
        if message["type"] not in self.lean:
            await aclose_old_connections()
        await handler(message)


class PassesUnknownEventsOver(Handlers):
    """Ignores an event without a handler."""

    diagnosis = "missing-handler-ignored"

    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if message.get("type") in self.lean:
            await handler(message)
        elif handler is not None:
            await super().dispatch(message)


class RemembersTheAnswer(LeanForAll):
    """Queries the database once. The number of accounts changes later."""

    diagnosis = "reply-differs"
    count = None

    async def accounts_changed(self, event):
        if self.count is None:
            self.count = await User.objects.acount()
        await self.send_count(self.count)


class PassesTheErrorOver(LeanForAll):
    """Ignores the error of a lost connection. Nothing opens a new one."""

    diagnosis = "no-reply"

    async def accounts_changed(self, event):
        try:
            await self.send_count(await User.objects.acount())
        except DatabaseError:
            pass
