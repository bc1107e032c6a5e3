"""Plays applications without server and network: for `--profile`."""

import asyncio
import cProfile
import io
import pstats
import time
from functools import partial
from statistics import median

ROUNDS = 7
MAX_LINES = 12  # of the profile


def report(applications: dict, clients: int, texts: int) -> str:
    """Microseconds of an event of each application, and the profile of the last one.

    Every text makes each client receive one frame. In each round, every application takes its turn,
    so that all meet the same load of the machine.
    """
    times: dict[str, list[float]] = {name: [] for name in applications}
    for number in range(ROUNDS + 1):
        for name, application in applications.items():
            started = time.perf_counter()
            asyncio.run(play(application, clients, texts))
            if number:  # the first round is the warm-up
                seconds = time.perf_counter() - started
                times[name].append(1e6 * seconds / (clients * texts))
    lines = [f"{name:<40}{median(one):>8.1f} µs an event" for name, one in times.items()]
    profiler, output = cProfile.Profile(), io.StringIO()
    profiler.runcall(asyncio.run, play(application, clients, texts))
    pstats.Stats(profiler, stream=output).strip_dirs().sort_stats("tottime").print_stats(MAX_LINES)
    return "\n".join([*lines, "", f"{name}:", output.getvalue().strip()])


async def play(application, clients: int, texts: int) -> None:
    """Connect the clients. One of them sends the texts, each after all have received the last."""
    sent: asyncio.Queue[dict] = asyncio.Queue()
    inputs: list[asyncio.Queue[dict]] = [asyncio.Queue() for _ in range(clients)]
    scope = {"type": "websocket", "path": "/", "headers": []}
    async with asyncio.TaskGroup() as tasks:
        for events in inputs:
            send = partial(sent.put)  # each client has its own, as on a server
            tasks.create_task(application(scope, events.get, send))
            events.put_nowait({"type": "websocket.connect"})
        for number in range(1 + texts):
            if number:  # at first, each accepts
                inputs[0].put_nowait({"type": "websocket.receive", "text": "hello"})
            for _ in inputs:
                await sent.get()
        for events in inputs:
            events.put_nowait({"type": "websocket.disconnect"})
