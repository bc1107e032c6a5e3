"""`bench echo --profile`: where an AsyncConsumer's time goes, without network and server."""

import asyncio
import cProfile
import io
import pstats
import time
from statistics import median

from channels.db import aclose_old_connections

from lessons.bench.served import APPLICATIONS

EVENTS = 2000
ROUNDS = 7
SHOWN = 12  # lines of the profile
FRAME = {"type": "websocket.receive", "text": "hello"}


def costs() -> dict[str, float]:
    """Microseconds of one event, by what handles it; the kinds take turns."""
    kinds = {
        "bare ASGI function": lambda: _echo("/bare"),
        "AsyncConsumer, lean dispatch": lambda: _echo("/lean"),
        "AsyncConsumer": lambda: _echo("/async"),
        "await aclose_old_connections() alone": _hop,
    }
    times: dict[str, list[float]] = {}
    for number in range(ROUNDS + 1):
        for kind, run in kinds.items():
            started = time.perf_counter()
            asyncio.run(run())
            elapsed = time.perf_counter() - started
            if number:  # the first round is the warm-up
                times.setdefault(kind, []).append(elapsed / EVENTS * 1e6)
    return {kind: round(median(values), 1) for kind, values in times.items()}


def profile() -> str:
    """cProfile's account of the loop's thread while an AsyncConsumer echoes."""
    profiler = cProfile.Profile()
    profiler.runcall(asyncio.run, _echo("/async"))
    said = io.StringIO()
    pstats.Stats(profiler, stream=said).strip_dirs().sort_stats("tottime").print_stats(SHOWN)
    return said.getvalue().strip()


async def _echo(path: str) -> None:
    """Hand the application its events one by one, as fast as it asks for them."""
    events = iter(
        [{"type": "websocket.connect"}, *[FRAME] * EVENTS, {"type": "websocket.disconnect"}]
    )

    async def receive():
        return next(events)

    async def send(message):
        pass

    await APPLICATIONS[path]({"type": "websocket", "path": path, "headers": []}, receive, send)


async def _hop() -> None:
    for _ in range(EVENTS):
        await aclose_old_connections()
