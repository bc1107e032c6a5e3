"""`bench soak`: what a server still holds when many connections have come, stayed and gone."""

import asyncio
import json
import time
import urllib.request

from lessons.bench.connection import connected, crowd
from lessons.bench.processes import Server, servers

PATIENCE = 30  # seconds until everything that connections held must be gone
STAY = 3  # seconds, in which the consumers are at work
# By how much each may be more than at first: caches take some memory once and for all.
SETTLED = {"tasks": 1.0, "threads": 1.0, "groups": 1.0, "blocks": 1.02}


def measure(consumer: str, connections: int, waves: int) -> list[dict]:
    """What the server holds: at first, and while each wave is connected and after it has gone.

    Half of a wave leaves with a close frame; the other half is cut off without one.
    """
    with servers([consumer], program="lessons.bench.soaked") as [server]:
        return asyncio.run(_measure(server, connections, waves))


async def _measure(server: Server, connections: int, waves: int) -> list[dict]:
    # The first connection brings the thread of all handlers, which stays for good.
    (await connected(server.port, "/")).leave()
    await asyncio.sleep(1)
    at_first = await _held(server)
    rows = [{"when": "at first", **at_first}]
    for number in range(1, waves + 1):
        wave = await crowd(connections, server.port, "/")
        await asyncio.sleep(STAY)
        rows.append({"when": f"wave {number} connected", **await _held(server)})
        for index, client in enumerate(wave):
            client.transport.abort() if index % 2 else client.leave()
        started = time.monotonic()
        held = await _held(server)
        while _left(held, at_first) and time.monotonic() - started < PATIENCE:
            await asyncio.sleep(0.2)
            held = await _held(server)
        seconds = round(time.monotonic() - started, 1)
        rows.append({"when": f"wave {number} gone, {seconds} s", **held})
    return rows


def _left(held: dict, at_first: dict) -> bool:
    return any(held[what] > at_first[what] * factor for what, factor in SETTLED.items())


async def _held(server: Server) -> dict:
    return await asyncio.to_thread(_ask, f"http://127.0.0.1:{server.port}/")


def _ask(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return json.load(answer)


def is_clean(rows: list[dict]) -> bool:
    """Whether no wave left a task, a thread, a group or memory in use behind."""
    return not any(_left(row, rows[0]) for row in rows if "gone" in row["when"])


def text_of(rows: list[dict]) -> str:
    """All figures, as lines of text."""
    lines = [f"{'':<24}{'tasks':>8}{'threads':>9}{'groups':>8}{'in use':>16}{'process':>11}"]
    lines += [
        f"{row['when']:<24}{row['tasks']:>8}{row['threads']:>9}{row['groups']:>8}"
        f"{row['blocks']:>9} blocks{row['memory_mb']:>8.1f} MB"
        for row in rows
    ]
    return "\n".join(lines)
