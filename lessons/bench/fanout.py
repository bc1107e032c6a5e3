"""`bench fanout`: one `group_send` to many, by channel layer, from one process and from two."""

import asyncio
import os
import uuid
from contextlib import ExitStack

from lessons.bench.fanned import BACKENDS
from lessons.bench.processes import servers
from lessons.bench.room import WARM_UP, Chatter, Figures, Room
from lessons.core.redis_server import RedisServer

SIZES = (10, 100, 1000)
IN_MEMORY, REDIS, _ = BACKENDS
TUTORIAL = "the tutorial's chat, Redis"
PROCESSES = (1, 2)

All = dict[tuple[str, int, int], Figures]


def measure(rounds: int, sizes=SIZES) -> All:
    """The figures by (layer, processes, clients).

    The rooms of one size take turns in each round, forwards and then backwards, so that all meet
    the same load of the machine. Raises NoRedis where there is none.
    """
    with ExitStack() as stack:
        url = os.environ.get("REDIS_URL") or stack.enter_context(RedisServer()).url
        rooms = [
            Room(layer, stack.enter_context(servers([layer] * count, **_program(layer, url))))
            for layer in BACKENDS
            for count in PROCESSES
        ]
        peer = stack.enter_context(servers([REDIS], **_program(REDIS, url)))
        rooms.append(Room(TUTORIAL, peer, path="/tutorial", kind=Chatter))
        return asyncio.run(_measure(rooms, rounds, sizes))


def _program(layer: str, url: str) -> dict:
    # With a prefix of its own each room is alone, whoever else uses this Redis.
    arguments = [] if layer == IN_MEMORY else [url, f"bench{uuid.uuid4().hex}"]
    return {"program": "lessons.bench.fanned", "arguments": arguments}


async def _measure(rooms: list[Room], rounds: int, sizes) -> All:
    figures = {}
    for size in sizes:
        for room in rooms:
            await room.fill(size)
        for number in range(WARM_UP + rounds):
            for room in rooms[:: -1 if number % 2 else 1]:
                await room.take_turn()
        for room in rooms:
            room.empty()
            figures[room.layer, len(room.servers), size] = room.figures
    return figures
