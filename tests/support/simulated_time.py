"""Time for tests in a simulated loop: it passes at once, and code that reads a clock sees it."""

import asyncio


async def wait(seconds):
    """Let simulated time pass, and all that is due in it happen."""
    await asyncio.sleep(seconds)
    await asyncio.get_running_loop().wait_until_idle()
