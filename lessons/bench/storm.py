"""`bench storm`: how soon all chat members are back after they have lost their connections at once.

Two storms. First, all members come to one server at the same moment, lose their connections, and
return at once, without back-off: the worst case. Second, one of two servers is killed while members
talk. Its members return to the other server, with the back-off of the chat's page. Daphne gives
each handshake five seconds; a handshake that takes longer is lost.
"""

import asyncio
import time

from lessons.bench.chat_cluster import (
    LOSSES,
    ChatCluster,
    chat_cluster,
    figures_of,
    until,
)
from lessons.bench.report import Column, Options, Report, text_table

COLUMNS = [
    Column("storm", "<32"),
    Column("members", ">9", "members"),
    Column("ready_s", ">9", "ready", "s", ".2f"),
    Column("complete_s", ">11", "complete", "s", ".2f"),
    Column("lost_handshakes", ">12", "handshakes", "lost"),
    Column("wrong_messages", ">10", "messages", "wrong"),
    Column("cpu_s", ">9", "CPU", "s", ".2f"),
]
SECONDS_BEFORE_KILL = 5


def run(options: Options) -> Report:
    members = options.connections or (60 if options.quick else 400)
    rows = [
        *return_to_one_server(1, members),
        *return_to_one_server(max(1, members // 20), members),
    ]
    rows += [
        lose_one_of_two_servers(max(1, members // 40), max(2, members // 2))
        for _ in range(options.rounds_or(3, quick=1))
    ]
    is_wrong = any(row["lost_handshakes"] or row["wrong_messages"] for row in rows)
    fault = "Handshakes were lost, or messages were lost, doubled or out of order."
    return Report({"rows": rows}, text_table(COLUMNS, rows), fault=fault if is_wrong else "")


def return_to_one_server(rooms: int, members: int) -> list[dict]:
    """Two rows: all members come at the same moment, then all lose their connection and return."""
    with chat_cluster(rooms, members, servers=1) as cluster:
        cluster.first_retry = 0
        return asyncio.run(_return_to_one_server(cluster, rooms))


async def _return_to_one_server(cluster: ChatCluster, rooms: int) -> list[dict]:
    place = "one room" if rooms == 1 else f"{rooms} rooms"
    async with cluster.running_members() as tasks:
        rows = [{"storm": f"all come to {place}", **await _storm(cluster, tasks)}]
        for member in cluster.members:
            member.lose_connection()
        rows.append({"storm": f"all return to {place}", **await _storm(cluster, tasks)})
    return rows


def lose_one_of_two_servers(rooms: int, members: int) -> dict:
    """A row. With it are the figures of what was lost, doubled or out of order."""
    with chat_cluster(rooms, members) as cluster:
        return asyncio.run(_lose_one_of_two_servers(cluster))


async def _lose_one_of_two_servers(cluster: ChatCluster) -> dict:
    async with cluster.running_members() as tasks:
        await until(lambda: all(one.is_ready for one in cluster.members), tasks)
        cluster.is_talking = True
        await asyncio.sleep(SECONDS_BEFORE_KILL)
        before = sum(one.connections for one in cluster.members)
        cluster.kill_server()
        row = await _storm(cluster, tasks)
        cluster.is_talking = False
        await until(cluster.is_caught_up, tasks)
        returned = sum(one.connections for one in cluster.members) - before
        found = figures_of(cluster)
        wrong = sum(found[name] for name in LOSSES)
        return {"storm": f"{returned} lose one of two servers", **found, **row} | {
            "wrong_messages": wrong
        }


async def _storm(cluster: ChatCluster, tasks: list[asyncio.Task]) -> dict:
    """Wait until all members are ready, and until each has the list of all in its room."""
    server, members = cluster.servers[0], cluster.members
    lost = sum(one.lost_handshakes for one in members)
    used, started = server.processor_seconds(), time.monotonic()
    await until(lambda: not all(one.is_ready for one in members), tasks)
    await until(lambda: all(one.is_ready for one in members), tasks)
    ready = time.monotonic() - started
    await until(cluster.presence_is_right, tasks)
    return {
        "members": len(members),
        "ready_s": ready,
        "complete_s": time.monotonic() - started,
        "lost_handshakes": sum(one.lost_handshakes for one in members) - lost,
        "wrong_messages": 0,
        "cpu_s": server.processor_seconds() - used,
    }
