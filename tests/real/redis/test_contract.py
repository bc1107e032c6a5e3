"""What every channel layer does: in memory, on Redis, and on Redis pub/sub.

layer_probes.py measures where they differ, and lesson 13 shows that table.
"""

import asyncio
import logging
from unittest.mock import AsyncMock

import pytest
from channels.exceptions import ChannelFull

from tests.support.redis.redis_layers import member_of, numbered, rest_of

SUPPORTED = {
    "nothing": None,
    "yes": True,
    "number": -5,
    "fraction": 2.5,
    "text": "ä ☃ \0",
    "empty": "",
    "bytes": b"\xff\x00",
    "list": [1, [2, []]],
    "dict": {"a": {"b": []}},
    "large": [2**64 - 1, -(2**63)],
    "endless": float("inf"),
}


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


async def test_a_member_receives_only_what_is_sent_to_its_group_during_its_membership(layers):
    layer = layers.make()
    channel, outsider = await layer.new_channel(), await member_of(layer, "weather")
    await layer.group_send("news", numbered(1))  # an empty group is no error
    await layer.group_add("news", channel)
    await layer.group_send("news", numbered(2))
    assert await layer.receive(channel) == numbered(2)
    await layer.group_discard("news", channel)
    await layer.group_send("news", numbered(3))
    assert await rest_of(layer, channel) == await rest_of(layer, outsider) == []


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


async def test_a_full_member_costs_the_others_nothing_and_raises_no_error_at_the_sender(layers):
    idle, reading = layers.make(capacity=3), layers.make(capacity=3)
    if layers.kind == "in memory":
        reading = idle  # there is only one such layer, and each channel has its own capacity
    await member_of(idle, "news")
    channel = await member_of(reading, "news")
    for number in range(10):
        assert await idle.group_send("news", numbered(number)) is None
        assert await reading.receive(channel) == numbered(number)


async def test_only_redis_logs_a_full_channel_at_info(layers, caplog):
    caplog.set_level(logging.INFO)
    layer = layers.make(capacity=1)
    await member_of(layer, "news")
    for _ in range(3):
        await layer.group_send("news", numbered(1))
    expected = "1 of 1 channels over capacity in group news"
    assert logged_by_layers(caplog) == [expected] * 2 * (layers.kind == "Redis")


def logged_by_layers(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("channels")]


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


# Messages


async def test_values_that_msgpack_supports_arrive_unchanged(layers):
    layer = layers.make()
    channel = await member_of(layer, "news")
    message = {"type": "every.value", **SUPPORTED}
    await layer.send(channel, message)
    await layer.group_send("news", message)
    for _ in range(2):
        arrived = await layer.receive(channel)
        assert arrived == message
        assert [type(value) for value in arrived.values()] == [str, *map(type, SUPPORTED.values())]


async def test_a_change_after_the_send_does_not_change_the_message(layers):
    layer = layers.make()
    channel = await member_of(layer, "news")
    message = {"type": "a.list", "list": [1]}
    await layer.send(channel, message)
    await layer.group_send("news", message)
    message["list"].append(2)
    assert [(await layer.receive(channel))["list"] for _ in range(2)] == [[1], [1]]
    assert message == {"type": "a.list", "list": [1, 2]}
