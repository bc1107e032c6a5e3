"""Time for tests in a simulated loop: it passes at once, and code that reads a clock sees it."""

import asyncio
from contextlib import contextmanager

from lessons.workshop.engine.world.clock import simulated_clock


@contextmanager
def clock():
    """The loop of the test, whose clock all code sees. It stands still while code runs."""
    loop = asyncio.get_running_loop()
    with simulated_clock(loop):
        yield loop


async def wait(seconds):
    """Let simulated time pass, and all that is due in it happen."""
    await asyncio.sleep(seconds)
    await asyncio.get_running_loop().wait_until_idle()
