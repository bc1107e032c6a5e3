"""Sets up what surrounds a consumer: once in a process, and again for each conversation.

    install(folder)                             # only in a process that does nothing but play
    with simulation(seed) as loop:              # what a file sees when it is imported
        subject = load_subject(target)
        ...
            async with surroundings() as (database, points):    # in the loop
                ...

Without install() each conversation installs what it needs, and leaves no trace.
"""

import random
import uuid
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from ..scheduling import clock, hashes, patches
from ..scheduling.loop import SimulatedLoop
from . import accounts, interleaving, student_module
from .cache import fresh_cache
from .channel_layer import fresh_layers
from .database import fresh_database, keep_file_in


def install(folder: str) -> None:
    """From now on, this process only plays. Its database is in `folder`."""
    for module in (accounts, clock, hashes, interleaving, student_module):
        patches.install(module.PATCHES)
    keep_file_in(folder)
    uuid.getnode()  # runs programs the first time; uuid1() may need it


@contextmanager
def simulation(seed: int = 0, **layers):
    """Within it, the layers are new, and every clock shows the time of a new loop: yields it.

    `layers` are options of the channel layers, such as `capacity`.
    """
    loop = SimulatedLoop(seed)
    random.seed(seed)  # a student's jitter is the same in each verdict
    try:
        with fresh_layers(**layers), clock.simulated_clock(loop):
            yield loop
    finally:
        loop.close()


@asynccontextmanager
async def surroundings(needs_database: bool):
    """Within it, database and cache are empty, and the consumer passes switch points.

    Yields what the player uses: the database, or None if the consumer needs none, and the points.
    """
    async with AsyncExitStack() as stack:
        database = None
        if needs_database:
            database = await stack.enter_async_context(fresh_database())
        stack.enter_context(fresh_cache())
        stack.enter_context(accounts.simple_accounts())
        yield database, stack.enter_context(interleaving.interleaving())
