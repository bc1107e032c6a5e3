"""Probes for what differs between the channel layers, and the command that measures the table.

    python3 -m tests.support.redis.layer_probes

A probe does the same to a layer of any kind, and its result is a few words. The name of a probe is
the name of its row. Lesson 13 shows the table, and a test compares it with the layers.
"""

import asyncio
import datetime
import decimal
import sys
import uuid
from functools import partial
from pathlib import Path

from lessons.workshop.authoring.notes import LAYERS_TABLE
from lessons.workshop.setup.redis_server import RedisServer, RedisUnavailable
from tests.support.redis.redis_layers import (
    KINDS,
    LAST,
    Layers,
    first_read,
    later,
    member_of,
    numbered,
    outcome,
    rest_of,
)

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
NO_ERROR = "raises nothing"


async def five_sent(layers, way, neighbour_reads):
    """A channel has room for three messages, and five are sent."""
    layer = layers.make(capacity=3)
    channel, neighbour = await member_of(layer, "news"), await layer.new_channel()
    send = partial(layer.send, channel) if way == "send" else partial(layer.group_send, "news")
    raised = set()
    for number in range(1, 6):
        raised.add(await outcome(send(numbered(number))))
        if neighbour_reads:
            await layer.send(neighbour, LAST)
            await layer.receive(neighbour)
    arrived = " ".join(map(str, await rest_of(layer, channel)))
    return f"{arrived} arrive{', ChannelFull' * ('raises ChannelFull' in raised)}"


async def limited_by_capacity(layers):
    layer = layers.make(capacity=1)
    channels = [await layer.new_channel() for _ in range(2)]
    others = [await outcome(layer.send(channel, numbered(1))) for channel in channels]
    if await outcome(layer.send(channels[0], numbered(2))) == NO_ERROR:
        return "nothing"
    return "a channel" if others == [NO_ERROR, NO_ERROR] else "a process"


async def channel_capacity(layers):
    layer = layers.make(channel_capacity={layers.plain_name: 1})
    first, second = [await outcome(layer.send(layers.plain_name, numbered(n))) for n in (1, 2)]
    if first != NO_ERROR:
        return f"`send` {first}"
    return "has no effect" if second == NO_ERROR else "the channel holds 1 message"


async def sent_before_a_read(layers):
    layer = layers.make()
    await layer.send(layers.plain_name, numbered(1))
    return "waits" if await first_read(layer, layers.plain_name) == 1 else "is lost"


async def read_by_two_processes(layers):
    here, there = layers.make(), layers.make()
    for layer in (here, there):
        await first_read(layer, layers.plain_name)
    await here.send(layers.plain_name, numbered(1))
    got = [1 in await rest_of(layer, layers.plain_name) for layer in (there, here)]
    return {
        (False, True): "each has its own channel",
        (True, False): "one process gets each message",
        (True, True): "both get each message",
    }[tuple(got)]


async def slow_clock(layers):
    here, there = layers.make(), layers.make()
    channel = await here.new_channel()
    await here.send(channel, numbered(1))
    with later(-10):
        sender = here if layers.kind == "in memory" else there
        await sender.send(channel, numbered(2))
    return "arrive in order" if await rest_of(here, channel) == [1, 2] else "the second comes first"


async def old_message(layers, number, yes, no, to_group=False):
    """Whether message `number` arrives: 1 is older than `expiry`, 2 is sent after that."""
    layer = layers.make(expiry=60)
    channel = await member_of(layer, "news")
    await layer.send(channel, numbered(1))
    with later(62):
        send = partial(layer.group_send, "news") if to_group else partial(layer.send, channel)
        await send(numbered(2))
        return yes if number in await rest_of(layer, channel) else no


async def old_member(layers):
    layer = layers.make(group_expiry=3600)
    channel = await member_of(layer, "news")
    with later(3602):
        await layer.group_send("news", numbered(1))
        return "gets messages" if await rest_of(layer, channel) else "gets no message"


async def value_sent(layers, values):
    """How each of these values arrives in a message."""
    return " or ".join({await _arrival(layers, value): value for value in values})


async def _arrival(layers, value):
    layer = layers.make()
    channel = await layer.new_channel()
    sent = await outcome(layer.send(channel, {"type": "a.value", "value": value}))
    if sent != NO_ERROR:
        return f"`send` {sent}"
    try:
        arrived = (await layer.receive(channel))["value"]
    except Exception as error:
        return f"receiver raises {type(error).__name__}"
    return "arrives" if arrived == value else f"arrives as {type(arrived).__name__}"


async def group_send(layers, group, message):
    return await outcome(layers.make().group_send(group, message))


async def no_dict_sent(layers):
    layer = layers.make()
    return await outcome(layer.send(await layer.new_channel(), "hello"))


async def two_members(layers):
    layer = layers.make()
    channels = [await member_of(layer, "news") for _ in range(2)]
    await layer.group_send("news", numbered(1))
    first, second = [await layer.receive(channel) for channel in channels]
    return "one dict for both" if first is second else "a dict each"


async def foreign_channel(layers):
    here, there = layers.make(), layers.make()
    return await outcome(here.group_add("news", await there.new_channel()))


async def prefixes(layers):
    try:
        here, there = [layers.make(prefix=layers.prefix + letter) for letter in "ab"]
    except TypeError:
        return "no such setting"
    member = await member_of(there, "news")
    await first_read(there, layers.plain_name)
    await here.group_send("news", numbered(1))
    await here.send(layers.plain_name, numbered(1))
    apart = {"groups": member, "channels": layers.plain_name}
    apart = [name for name, channel in apart.items() if 1 not in await rest_of(there, channel)]
    return " and ".join(apart)


FIVE = {
    f"five messages by `{way}`, capacity 3, {place}": partial(
        five_sent, way=way, neighbour_reads=neighbour_reads
    )
    for way in ("send", "group_send")
    for neighbour_reads, place in enumerate(("every consumer is busy", "another consumer waits"))
}
VALUES = {
    "a datetime, set, Decimal or UUID": (NOW, {1}, decimal.Decimal("1.5"), uuid.UUID(int=1)),
    "an int of more than 64 bits": (2**64,),
    "a tuple": ((1, 2),),
    "a dict with int keys": ({1: "one"},),
}
UNPACKABLE = {"type": "a.value", "value": NOW}
PROBES = {
    **FIVE,
    "`capacity` limits the messages of": limited_by_capacity,
    "`channel_capacity={NAME: 1}`": channel_capacity,
    "a message to a channel that no consumer reads yet": sent_before_a_read,
    "two processes read a channel of the same name": read_by_two_processes,
    "two messages, the second from a host whose clock is 10 s slow": slow_clock,
    "a message older than `expiry`": partial(old_message, number=1, yes="arrives", no="is lost"),
    "after such a loss, the channel": partial(
        old_message, number=2, yes="stays in its groups", no="leaves all groups", to_group=True
    ),
    "a consumer that joined its group longer ago than `group_expiry`": old_member,
    **{
        f"a message with {name}": partial(value_sent, values=values)
        for name, values in VALUES.items()
    },
    "`group_send` of a datetime to an empty group": partial(
        group_send, group="empty", message=UNPACKABLE
    ),
    "`send` of a value that is not a dict": no_dict_sent,
    "two members in one process receive": two_members,
    "`group_send` to a group named `the room`": partial(
        group_send, group="the room", message=numbered(1)
    ),
    "`group_add` of another process's channel": foreign_channel,
    "`prefix` separates": prefixes,
}


async def measure(kind: str, redis_url: str) -> dict[str, str]:
    """One column of the table: the result of each probe, by its name."""
    column = {}
    for name, probe in PROBES.items():
        async with Layers(kind, redis_url) as layers:
            column[name] = await probe(layers)
    return column


def measured_table(columns: dict[str, dict[str, str]]) -> str:
    """A measured table: for each kind of layer, the result of each probe by its name."""
    names = next(iter(columns.values()))
    rows = [[name, *(column[name] for column in columns.values())] for name in names]
    lines = [["", *columns], ["---"] * (1 + len(columns)), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def read_measured_table(file: Path) -> dict[str, dict[str, str]]:
    """The columns that measured_table() has written to the file."""
    (_, *kinds), _, *rows = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    return {
        kind: {name: cells[number] for name, *cells in rows} for number, kind in enumerate(kinds)
    }


async def _write_table() -> None:
    with RedisServer() as server:
        columns = {kind: await measure(kind, server.url) for kind in KINDS}
    LAYERS_TABLE.write_text(measured_table(columns), encoding="utf-8")
    print(measured_table(columns), end="")


if __name__ == "__main__":
    try:
        asyncio.run(_write_table())
    except RedisUnavailable as error:
        sys.exit(str(error))
