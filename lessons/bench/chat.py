"""`bench chat`: what chat members receive while connections, a server and Redis fail.

Two servers share one database and one Redis. Members connect again after each loss, as the chat's
page does. Then the soak: what one server still holds after many connections have come and gone.
"""

import asyncio
import json
import random
import time
import urllib.request

from lessons.bench.chat_cluster import (
    ChatCluster,
    Member,
    chat_cluster,
    faults,
    figures_of,
    until,
)
from lessons.bench.client import connect, connect_many
from lessons.bench.processes import Server, servers
from lessons.bench.report import Column, Options, Report, text_table
from lessons.core import catalogue

MEMBERS_PER_ROOM = 20
CONNECTION_LIFETIME = 60.0  # seconds, on average, until a member loses its connection
SOAK_STAY = 3  # seconds in which the connected consumers work
SOAK_TIMEOUT = 30  # seconds until the server must have freed what the connections held
# A figure may grow by this factor, because caches take some memory once.
SOAK_GROWTH = {"tasks": 1.0, "threads": 1.0, "groups": 1.0, "blocks": 1.02}
SOAK_COLUMNS = [
    Column("when", "<24"),
    Column("tasks", ">8", "tasks"),
    Column("threads", ">9", "threads"),
    Column("groups", ">8", "groups"),
    Column("blocks", ">9", "blocks"),
    Column("memory_mb", ">11", "memory", "MB", ".1f"),
]


def run(options: Options) -> Report:
    members = options.connections or (30 if options.quick else 200)
    seconds = options.seconds or (15 if options.quick else 60)
    found = measure(max(1, members // MEMBERS_PER_ROOM), members, seconds)
    connections = options.connections or (200 if options.quick else 1000)
    lesson = catalogue.find(options.lesson or "push")
    rows = measure_soak(lesson.demo, connections, waves=options.rounds_or(3, quick=1))
    chat = {"members": members, "seconds": seconds, **found}
    soak = {"lesson": lesson.key, "connections": connections, "rows": rows}
    lines = [f"{name.replace('_', ' '):<24}{value!s:>16}" for name, value in chat.items()]
    title = f"{connections} connections to the worked example of {lesson.key}"
    wrong = faults(found) + ([] if is_clean(rows) else ["left behind by the soak"])
    return Report(
        {**chat, "soak": soak},
        "\n".join([*lines, "", title, text_table(SOAK_COLUMNS, rows)]),
        fault=f"These figures are wrong: {', '.join(wrong)}." if wrong else "",
    )


def measure(rooms: int, members: int, seconds: float) -> dict:
    """Figures: what was sent, confirmed, kept and delivered, and what of it was lost."""
    with chat_cluster(rooms, members) as cluster:
        return asyncio.run(_measure(cluster, seconds))


async def _measure(cluster: ChatCluster, seconds: float) -> dict:
    members = cluster.members
    async with cluster.running_members() as tasks:
        all_in = await until(lambda: all(one.connections for one in members), tasks)
        cluster.is_talking = True
        tasks.append(losing := asyncio.create_task(_lose_connections(members)))
        await asyncio.sleep(seconds / 3)
        cluster.kill_server()
        await asyncio.to_thread(cluster.start_server)
        await asyncio.sleep(seconds / 3)
        cluster.redis.stop()
        await asyncio.sleep(min(1.0, seconds / 10))
        # A server closes its connections one after the other, and only while Redis is stopped.
        await until(lambda: not any(one.is_ready for one in members), tasks)
        cluster.redis.start()
        await asyncio.sleep(seconds / 3)
        losing.cancel()
        cluster.is_talking = False
        caught_up = await until(cluster.is_caught_up, tasks)
        return figures_of(cluster) | {"all_in_after_s": all_in, "caught_up_after_s": caught_up}


async def _lose_connections(members: list["Member"]) -> None:
    while True:
        await asyncio.sleep(random.expovariate(len(members) / CONNECTION_LIFETIME))
        random.choice(members).lose_connection()


def measure_soak(consumer: str, connections: int, waves: int) -> list[dict]:
    """What the server holds: at first, while each wave is connected, and after it has gone.

    Half of a wave leaves with a close frame. The other half is cut off without one.
    """
    with servers("soak_server", [consumer]) as [server]:
        return asyncio.run(_soak(server, connections, waves))


async def _soak(server: Server, connections: int, waves: int) -> list[dict]:
    # The first connection starts the thread of the sync handlers, which stays for good.
    (await connect(server.port, "/")).close()
    await asyncio.sleep(1)
    at_first = await _held_by(server)
    rows = [{"when": "at first", **at_first}]
    for number in range(1, waves + 1):
        wave = await connect_many(connections, server.port, "/")
        await asyncio.sleep(SOAK_STAY)
        rows.append({"when": f"wave {number} connected", **await _held_by(server)})
        for index, client in enumerate(wave):
            client.transport.abort() if index % 2 else client.close()
        started = time.monotonic()
        held = await _held_by(server)
        while _has_grown(held, at_first) and time.monotonic() - started < SOAK_TIMEOUT:
            await asyncio.sleep(0.2)
            held = await _held_by(server)
        seconds = round(time.monotonic() - started, 1)
        rows.append({"when": f"wave {number} gone, {seconds} s", **held})
    return rows


async def _held_by(server: Server) -> dict:
    def ask():
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=SOAK_TIMEOUT) as it:
            return json.load(it)

    return await asyncio.to_thread(ask)


def _has_grown(held: dict, at_first: dict) -> bool:
    return any(held[what] > at_first[what] * factor for what, factor in SOAK_GROWTH.items())


def is_clean(rows: list[dict]) -> bool:
    """Whether no wave left a task, a thread, a group or used memory behind."""
    return not any(_has_grown(row, rows[0]) for row in rows if "gone" in row["when"])
