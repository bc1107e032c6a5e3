"""`bench storm`: how soon all chat members are back after they have lost their connections at once.

Two storms. First, all members come to one server at the same moment, lose their connections, and
return at once, without back-off: the worst case. Second, one of two servers is killed while members
talk. Its members return to the other server, with the back-off of the chat's page. Daphne gives
each handshake five seconds; a handshake that takes longer is lost.
"""

import asyncio
import time
from collections.abc import Iterable

from lessons.bench.chat_cluster import (
    LOSSES,
    PHASE_TIMEOUT,
    ChatCluster,
    Member,
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
    faults = []
    if any(row["lost_handshakes"] or row["wrong_messages"] for row in rows):
        faults.append("Handshakes were lost, or messages were lost, doubled or out of order.")
    if any(value is None for row in rows for value in row.values()):
        faults.append(f"A phase took longer than {PHASE_TIMEOUT} s.")
    return Report({"rows": rows}, text_table(COLUMNS, rows), fault=" ".join(faults))


def return_to_one_server(rooms: int, members: int) -> list[dict]:
    """Two rows: all members come at the same moment, then all lose their connection and return."""
    with chat_cluster(rooms, members, servers=1) as cluster:
        cluster.first_retry = 0
        return asyncio.run(_return_to_one_server(cluster, rooms))


async def _return_to_one_server(cluster: ChatCluster, rooms: int) -> list[dict]:
    place = "one room" if rooms == 1 else f"{rooms} rooms"
    async with cluster.running_members() as tasks:
        row = await _storm(cluster, tasks, _connections_of(cluster.members))
        rows = [{"storm": f"all come to {place}", **row}]
        before = _connections_of(cluster.members)
        for member in cluster.members:
            member.lose_connection()
        row = await _storm(cluster, tasks, before)
        rows.append({"storm": f"all return to {place}", **row})
    return rows


def lose_one_of_two_servers(rooms: int, members: int) -> dict:
    """A row. With it are the figures of what was lost, doubled or out of order."""
    with chat_cluster(rooms, members) as cluster:
        return asyncio.run(_lose_one_of_two_servers(cluster))


async def _lose_one_of_two_servers(cluster: ChatCluster) -> dict:
    async with cluster.running_members() as tasks:
        all_in = await until(lambda: all(one.is_ready for one in cluster.members), tasks)
        cluster.is_talking = True
        await asyncio.sleep(SECONDS_BEFORE_KILL)
        killed = cluster.servers[0]
        before = _connections_of(one for one in cluster.members if one.server is killed)
        cluster.kill_server()
        row = await _storm(cluster, tasks, before)
        cluster.is_talking = False
        caught_up = await until(cluster.is_caught_up, tasks)
        returned = sum(one.connections - count for one, count in before.items())
        found = figures_of(cluster)
        wrong = sum(found[name] for name in LOSSES)
        return {"storm": f"{returned} lose one of two servers", **found, **row} | {
            "wrong_messages": wrong,
            "all_in_after_s": all_in,
            "caught_up_after_s": caught_up,
        }


def _connections_of(members: Iterable[Member]) -> dict[Member, int]:
    """How many connections each of these members has had."""
    return {one: one.connections for one in members}


async def _storm(
    cluster: ChatCluster, tasks: list[asyncio.Task], before: dict[Member, int]
) -> dict:
    """Wait until all members are ready, and until each has the list of all in its room.

    `before` has the members that lost their connections, and the count of each before the loss. A
    member can be ready again before the first look, so only a new connection proves its return. A
    duration is None if it was longer than PHASE_TIMEOUT.
    """
    server, members = cluster.servers[0], cluster.members
    lost = sum(one.lost_handshakes for one in members)
    used, started = server.processor_seconds(), time.monotonic()

    def are_back() -> bool:
        has_returned = all(one.connections > count for one, count in before.items())
        return has_returned and all(one.is_ready for one in members)

    ready = complete = None
    if await until(are_back, tasks) is not None:
        ready = time.monotonic() - started
        if await until(cluster.presence_is_right, tasks) is not None:
            complete = time.monotonic() - started
    return {
        "members": len(members),
        "ready_s": ready,
        "complete_s": complete,
        "lost_handshakes": sum(one.lost_handshakes for one in members) - lost,
        "wrong_messages": 0,
        "cpu_s": server.processor_seconds() - used,
    }
