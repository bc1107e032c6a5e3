"""Runs the chat's queries in the one thread that all consumers of a process share.

The thread serves its jobs in the order of their arrival. If four hundred clients return at once,
the session and the user of the last handshake would be read after the queries of all clients before
it, and Daphne gives a handshake only five seconds. So the chat itself puts few jobs into the
thread's queue at a time. A new handshake waits for these few jobs only.
"""

import asyncio
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

MAX_JOBS = 2  # one that runs, and the next one, so that the thread never waits for the event loop

_turns = WeakKeyDictionary()  # by event loop, because a semaphore belongs to one; a server has one


async def run_query(function, *args):
    """Call the function in the database thread, and return its result."""
    turns = _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(MAX_JOBS))
    async with turns:
        return await database_sync_to_async(function)(*args)
