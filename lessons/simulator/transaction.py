"""A transaction that stays open while a check looks at what others see of it."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async
from django.db import connection, transaction

from lessons.simulator.loop import ObservedLoop


class OpenTransaction:
    """A transaction in which all is written, and which waits to be told that it may end."""

    def __init__(self):
        self.begun = asyncio.Event()
        self.end = threading.Event()
        self.rolls_back = False

    def run(self, loop: ObservedLoop, function: Callable, *args) -> None:
        here = threading.get_ident()
        try:
            with transaction.atomic():
                function(*args)
                loop.held.add(here)
                loop.call_soon_threadsafe(self.begun.set)
                self.end.wait()
                loop.held.discard(here)
                transaction.set_rollback(self.rolls_back)
        finally:
            loop.held.discard(here)
            connection.close()


@asynccontextmanager
async def open_transaction(function: Callable, *args):
    """`function` is called in a transaction of another thread, which ends with this block.

    Everything else has come to rest by the time that the block begins, and when it has ended.
    Yields an OpenTransaction, which can be told to end in a rollback.
    """
    loop, open_one = asyncio.get_running_loop(), OpenTransaction()
    job = asyncio.create_task(
        sync_to_async(open_one.run, thread_sensitive=False)(loop, function, *args)
    )
    begun = asyncio.create_task(open_one.begun.wait())
    await asyncio.wait([job, begun], return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    if job.done():
        await job  # raises what the function has raised
    try:
        await loop.settled()
        yield open_one
    finally:
        open_one.end.set()
        await job
    await loop.settled()
