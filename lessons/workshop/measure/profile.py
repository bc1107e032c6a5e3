"""`bench echo --profile`: where an AsyncConsumer's time goes, without network and server."""

import asyncio
import cProfile
import io
import pstats
import time
from statistics import median

from channels.db import aclose_old_connections

from lessons.workshop.measure.servers.echo_server import APPLICATIONS

EVENTS = 2000
ROUNDS = 7
MAX_LINES = 12  # of the profile
FRAME = {"type": "websocket.receive", "text": "hello"}


def costs() -> dict[str, float]:
    """Microseconds of one event, by what handles it. In each round, every kind runs once."""
    kinds = {
        "bare ASGI function": lambda: _echo("/bare"),
        "AsyncConsumer, lean dispatch": lambda: _echo("/lean"),
        "AsyncConsumer": lambda: _echo("/async"),
        "await aclose_old_connections() alone": _hop_to_thread,
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
    """What cProfile reports about the event loop's thread while an AsyncConsumer echoes."""
    profiler = cProfile.Profile()
    profiler.runcall(asyncio.run, _echo("/async"))
    output = io.StringIO()
    pstats.Stats(profiler, stream=output).strip_dirs().sort_stats("tottime").print_stats(MAX_LINES)
    return output.getvalue().strip()


async def _echo(path: str) -> None:
    """Give the application its events one by one, as fast as it awaits them."""
    events = iter(
        [{"type": "websocket.connect"}, *[FRAME] * EVENTS, {"type": "websocket.disconnect"}]
    )

    async def receive():
        return next(events)

    async def send(message):
        pass

    await APPLICATIONS[path]({"type": "websocket", "path": path, "headers": []}, receive, send)


async def _hop_to_thread() -> None:
    for _ in range(EVENTS):
        await aclose_old_connections()
