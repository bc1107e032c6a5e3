"""What every channel layer does: in memory, on Redis, and on Redis pub/sub.

layer_probes.py measures where they differ, and lesson 13 shows that table.
"""

import asyncio
from unittest.mock import AsyncMock

import pytest
from channels.exceptions import ChannelFull

from tests.support.redis.redis_layers import member_of, numbered, rest_of


async def test_messages_arrive_in_the_order_of_their_sending(layers):
    layer = layers.make()
    channel = await member_of(layer, "news")
    for number in range(0, 20, 2):
        await layer.send(channel, numbered(number))
        await layer.group_send("news", numbered(number + 1))
    assert await rest_of(layer, channel) == list(range(20))


async def test_each_message_goes_to_one_reader_and_once(layers):
    layer = layers.make()
    channel = await layer.new_channel()
    readers = [asyncio.ensure_future(layer.receive(channel)) for _ in range(2)]
    for number in (1, 2, 3):
        await layer.send(channel, numbered(number))
    read = await asyncio.gather(*readers)
    assert sorted(message["number"] for message in read) == [1, 2]
    assert await rest_of(layer, channel) == [3]


@pytest.mark.parametrize("layers", ["Redis"], indirect=True)
async def test_a_message_that_a_killed_process_was_receiving_reaches_the_next_reader(layers):
    killed, other = layers.make(), layers.make()
    killed._clean_receive_backup = AsyncMock()  # it was killed before it could delete the copy
    await killed.send("jobs", numbered(1))
    assert await killed.receive("jobs") == numbered(1)
    assert await other.receive("jobs") == numbered(1)


# Groups


async def test_joining_or_leaving_twice_is_the_same_as_once(layers):
    layer = layers.make()
    channel = await member_of(layer, "news")
    await layer.group_add("news", channel)
    await layer.group_send("news", numbered(1))
    assert await rest_of(layer, channel) == [1]
    for _ in range(2):
        await layer.group_discard("news", channel)
    await layer.group_send("news", numbered(2))
    assert await rest_of(layer, channel) == []


# Capacity


@pytest.mark.parametrize("layers", ["in memory", "Redis"], indirect=True)
async def test_a_channel_holds_a_hundred_messages_by_default_and_then_raises_channel_full(layers):
    layer = layers.make()
    channel = await layer.new_channel()
    for number in range(100):
        await layer.send(channel, numbered(number))
    with pytest.raises(ChannelFull) as excinfo:
        await layer.send(channel, numbered(100))
    assert str(excinfo.value) == (channel if layers.kind == "in memory" else "")
    assert await rest_of(layer, channel) == list(range(100))


# Flush


async def test_a_flush_deletes_messages_and_groups_and_the_layer_still_works(layers):
    layer = layers.make()
    channel = await member_of(layer, "news")
    await layer.send(channel, numbered(1))
    await layer.flush()
    await layer.group_send("news", numbered(2))
    fresh = await member_of(layer, "news")
    await layer.group_send("news", numbered(3))
    assert await rest_of(layer, fresh) == [3]
    if layers.kind != "Redis pub/sub":  # there, no consumer reads a flushed channel
        assert await rest_of(layer, channel) == []
