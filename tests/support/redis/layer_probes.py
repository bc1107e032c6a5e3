"""Probes for what differs between the channel layers, and the command that measures the table.

    python3 -m tests.support.redis.layer_probes

A probe is a function of the layers of one kind. It does the same to a layer of any kind and returns
the result in a few words. Its docstring is the name of its row. Lesson 13 shows the table, and a
test compares it with the layers.
"""

import asyncio
import datetime
import decimal
import inspect
import sys
import uuid
from functools import partial

from lessons.workshop.authoring.notes import LAYERS_TABLE, measured_table
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


# Room for three, and five are sent


async def _five(layers, way, neighbour_reads):
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


async def send_to_a_sleeper(layers):
    """five messages by `send`, capacity 3, every consumer is busy"""
    return await _five(layers, "send", neighbour_reads=False)


async def send_to_a_slow_one(layers):
    """five messages by `send`, capacity 3, another consumer waits"""
    return await _five(layers, "send", neighbour_reads=True)


async def group_send_to_a_sleeper(layers):
    """five messages by `group_send`, capacity 3, every consumer is busy"""
    return await _five(layers, "group_send", neighbour_reads=False)


async def group_send_to_a_slow_one(layers):
    """five messages by `group_send`, capacity 3, another consumer waits"""
    return await _five(layers, "group_send", neighbour_reads=True)


async def whose_room(layers):
    """`capacity` limits the messages of"""
    layer = layers.make(capacity=1)
    channels = [await layer.new_channel() for _ in range(2)]
    others = [await outcome(layer.send(channel, numbered(1))) for channel in channels]
    again = await outcome(layer.send(channels[0], numbered(2)))
    if again == "raises nothing":
        return "nothing"
    return "a channel" if others == ["raises nothing", "raises nothing"] else "a process"


async def channel_capacity(layers):
    """`channel_capacity={NAME: 1}`"""
    layer = layers.make(channel_capacity={layers.plain_name: 1})
    first, second = [await outcome(layer.send(layers.plain_name, numbered(n))) for n in (1, 2)]
    if first != "raises nothing":
        return f"`send` {first}"
    return "has no effect" if second == "raises nothing" else "the channel holds 1 message"


# What is kept, and for how long


async def before_anyone_reads(layers):
    """a message to a channel that no consumer reads yet"""
    layer = layers.make()
    await layer.send(layers.plain_name, numbered(1))
    return "waits" if await first_read(layer, layers.plain_name) == 1 else "is lost"


async def two_processes(layers):
    """two processes read a channel of the same name"""
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
    """two messages, the second from a host whose clock is 10 s slow"""
    here, there = layers.make(), layers.make()
    channel = await here.new_channel()
    await here.send(channel, numbered(1))
    with later(-10):
        sender = here if layers.kind == "in memory" else there
        await sender.send(channel, numbered(2))
    return "arrive in order" if await rest_of(here, channel) == [1, 2] else "the second comes first"


async def old_message(layers):
    """a message older than `expiry`"""
    layer = layers.make(expiry=60)
    channel = await layer.new_channel()
    await layer.send(channel, numbered(1))
    with later(62):
        await layer.send(channel, numbered(2))
        return "arrives" if 1 in await rest_of(layer, channel) else "is lost"


async def groups_after_an_old_message(layers):
    """after such a loss, the channel"""
    layer = layers.make(expiry=60)
    channel = await member_of(layer, "news")
    await layer.send(channel, numbered(1))
    with later(62):
        await layer.group_send("news", numbered(2))
        return "stays in its groups" if 2 in await rest_of(layer, channel) else "leaves all groups"


async def old_member(layers):
    """a consumer that joined its group longer ago than `group_expiry`"""
    layer = layers.make(group_expiry=3600)
    channel = await member_of(layer, "news")
    with later(3602):
        await layer.group_send("news", numbered(1))
        return "gets messages" if await rest_of(layer, channel) else "gets no message"


# What a message may hold


async def _arrival(layers, value):
    layer = layers.make()
    channel = await layer.new_channel()
    sent = await outcome(layer.send(channel, {"type": "a.value", "value": value}))
    if sent != "raises nothing":
        return f"`send` {sent}"
    try:
        arrived = (await layer.receive(channel))["value"]
    except Exception as error:
        return f"receiver raises {type(error).__name__}"
    return "arrives" if arrived == value else f"arrives as {type(arrived).__name__}"


async def not_plain(layers):
    """a message with a datetime, set, Decimal or UUID"""
    values = (NOW, {1}, decimal.Decimal("1.5"), uuid.UUID(int=1))
    return " or ".join({await _arrival(layers, value): value for value in values})


async def a_large_int(layers):
    """a message with an int of more than 64 bits"""
    return await _arrival(layers, 2**64)


async def a_tuple(layers):
    """a message with a tuple"""
    return await _arrival(layers, (1, 2))


async def int_keys(layers):
    """a message with a dict with int keys"""
    return await _arrival(layers, {1: "one"})


async def unpackable_to_empty_group(layers):
    """`group_send` of a datetime to an empty group"""
    return await outcome(layers.make().group_send("empty", {"type": "a.value", "value": NOW}))


async def no_dict(layers):
    """`send` of a value that is not a dict"""
    layer = layers.make()
    return await outcome(layer.send(await layer.new_channel(), "hello"))


async def two_members(layers):
    """two members in one process receive"""
    layer = layers.make()
    channels = [await member_of(layer, "news") for _ in range(2)]
    await layer.group_send("news", numbered(1))
    first, second = [await layer.receive(channel) for channel in channels]
    return "one dict for both" if first is second else "a dict each"


# Whose names they are


async def spaced_name(layers):
    """`group_send` to a group named `the room`"""
    return await outcome(layers.make().group_send("the room", numbered(1)))


async def foreign_channel(layers):
    """`group_add` of another process's channel"""
    here, there = layers.make(), layers.make()
    return await outcome(here.group_add("news", await there.new_channel()))


async def prefixes(layers):
    """`prefix` separates"""
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


PROBES = [
    item
    for name, item in list(globals().items())
    # From Python 3.12 on, the module inspect itself passes for a coroutine function.
    if getattr(item, "__module__", None) == __name__
    and inspect.iscoroutinefunction(item)
    and not name.startswith("_")
]


async def measure(kind: str, redis_url: str) -> dict[str, str]:
    """One column of the table: the result of each probe, by its name."""
    column = {}
    for probe in PROBES:
        async with Layers(kind, redis_url) as layers:
            column[probe.__doc__] = await probe(layers)
    return column


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
