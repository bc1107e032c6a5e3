"""`bench chat`: what members of chat rooms get while connections, a server and Redis are lost."""

import asyncio
import random
import time

from lessons.bench.chat_figures import figures
from lessons.bench.chat_house import House, house

PATIENCE = 600  # seconds until all are in, and until all have all
LOSES = 60.0  # seconds that a member keeps a connection, on average


def measure(rooms: int, members: int, seconds: float) -> dict:
    """Figures: what was sent, confirmed, kept and delivered, and what was lost of it."""
    with house(rooms, members) as it:
        return asyncio.run(_measure(it, seconds))


async def _measure(it: House, seconds: float) -> dict:
    staying = [asyncio.create_task(member.stay()) for member in it.members]
    try:
        all_in = await _until(lambda: all(one.connections for one in it.members), staying)
        memory = it.memory_mb()
        it.talks = True
        staying.append(losing := asyncio.create_task(_lose_some(it)))
        await asyncio.sleep(seconds / 3)
        it.kill()
        await asyncio.to_thread(it.start)
        await asyncio.sleep(seconds / 3)
        it.redis.stop()
        await asyncio.sleep(min(1.0, seconds / 10))
        # A server tells them one after the other; who is not told by then is not told at all.
        await _until(lambda: not any(one.is_here for one in it.members), staying)
        it.redis.start()
        await asyncio.sleep(seconds / 3)
        losing.cancel()
        it.talks = False
        caught_up = await _until(lambda: _all_have_all(it), staying)
        memory += it.memory_mb()
        times = {"all_in_after_s": all_in, "caught_up_after_s": caught_up, "memory_mb": memory}
        return figures(it) | times
    finally:
        for task in staying:
            task.cancel()
        await asyncio.gather(*staying, return_exceptions=True)


async def _lose_some(it: House) -> None:
    while True:
        await asyncio.sleep(random.expovariate(len(it.members) / LOSES))
        random.choice(it.members).lose()


async def _until(condition, staying) -> float | None:
    """Seconds until it holds; None: it never did. What ended a member is raised."""
    began = time.monotonic()
    while not condition():
        for task in staying:
            if task.done() and not task.cancelled():
                task.result()
        if time.monotonic() - began > PATIENCE:
            return None
        await asyncio.sleep(0.1)
    return round(time.monotonic() - began, 2)


def _all_have_all(it: House) -> bool:
    last = {room: messages[-1][0] for room, messages in it.rows().items()}
    return all(
        one.is_here and one.pending is None and one.seen >= last.get(one.room, 0)
        for one in it.members
    )
