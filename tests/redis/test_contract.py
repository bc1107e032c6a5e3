"""What every channel layer keeps to: in memory, on Redis, and on Redis pub/sub.

Where they differ is measured in lines.py, and stands in lesson 13's table.
"""

import asyncio
import logging
from contextlib import suppress
from unittest.mock import AsyncMock

import pytest
from channels.exceptions import ChannelFull
from channels_redis.core import RedisChannelLayer

from tests.support.redis.redis_layers import LAST, later, member_of, numbered, rest_of


async def test_first_in_first_out(layers):
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


async def test_what_was_read_does_not_come_again(layers):
    layer = layers.make()
    channel = await layer.new_channel()
    await layer.send(channel, numbered(1))
    await layer.receive(channel)
    assert await rest_of(layer, channel) == []


@pytest.mark.parametrize("layers", ["Redis"], indirect=True)
async def test_what_a_process_was_killed_over_while_it_took_it_comes_to_the_next_reader(layers):
    killed, other = layers.make(), layers.make()
    killed._clean_receive_backup = AsyncMock()  # it had no time to take the copy away
    await killed.send("jobs", numbered(1))
    assert await killed.receive("jobs") == numbered(1)
    assert await other.receive("jobs") == numbered(1)


async def test_messages_wait_for_a_reader_that_comes_later(layers):
    layer = layers.make()
    channel = await layer.new_channel()
    for number in range(90):
        await layer.send(channel, numbered(number))
    assert await rest_of(layer, channel) == list(range(90))


async def test_what_a_method_returns(layers):
    layer = layers.make()
    channel = await layer.new_channel()
    assert await layer.group_add("news", channel) is None
    assert await layer.group_send("news", numbered(1)) is None
    assert await layer.send(channel, numbered(2)) is None
    assert await layer.receive(channel) == numbered(1)
    assert await layer.group_discard("news", channel) is None
    assert await layer.flush() is None
    assert layer.extensions == ["groups", "flush"]


async def test_a_new_channel_has_a_name_of_its_own_that_is_no_groups_name(layers):
    layer = layers.make()
    names = {await layer.new_channel() for _ in range(20)}
    assert len(names) == 20
    assert all(isinstance(name, str) and len(name) < 100 for name in names)


# Groups


async def test_a_member_gets_what_is_sent_while_it_is_one(layers):
    layer = layers.make()
    channel = await layer.new_channel()
    await layer.group_send("news", numbered(1))
    await layer.group_add("news", channel)
    await layer.group_send("news", numbered(2))
    assert await layer.receive(channel) == numbered(2)
    await layer.group_discard("news", channel)
    await layer.group_send("news", numbered(3))
    assert await rest_of(layer, channel) == []


async def test_every_member_gets_it_and_nobody_else(layers):
    layer = layers.make()
    members = [await member_of(layer, "news") for _ in range(3)]
    stranger = await member_of(layer, "weather")
    await layer.group_send("news", numbered(1))
    assert [await rest_of(layer, channel) for channel in members] == [[1]] * 3
    assert await rest_of(layer, stranger) == []


async def test_joining_twice_is_joining_once(layers):
    layer = layers.make()
    channel = await member_of(layer, "news")
    await layer.group_add("news", channel)
    await layer.group_send("news", numbered(1))
    assert await rest_of(layer, channel) == [1]
    await layer.group_discard("news", channel)
    await layer.group_send("news", numbered(2))
    assert await rest_of(layer, channel) == []


async def test_leaving_a_group_that_one_is_not_in_is_no_error(layers):
    layer = layers.make()
    channel = await layer.new_channel()
    await layer.group_discard("news", channel)
    other = await member_of(layer, "news")
    await layer.group_discard("news", channel)
    await layer.group_send("news", numbered(1))
    assert await rest_of(layer, other) == [1]


async def test_a_group_without_members_takes_messages_without_a_word(layers):
    assert await layers.make().group_send("nobody", numbered(1)) is None


async def test_a_full_member_takes_nothing_from_the_others_and_the_sender_hears_nothing(layers):
    sleeping, awake = layers.make(capacity=3), layers.make(capacity=3)
    if layers.kind == "in memory":
        awake = sleeping  # there, one layer is all that there is, and room is a channel's own
    await member_of(sleeping, "news")
    channel = await member_of(awake, "news")
    for number in range(10):
        assert await sleeping.group_send("news", numbered(number)) is None
        assert await awake.receive(channel) == numbered(number)


async def test_a_full_mailbox_is_logged_by_redis_at_info_and_by_the_others_not_at_all(
    layers, caplog
):
    caplog.set_level(logging.INFO)
    layer = layers.make(capacity=1)
    await member_of(layer, "news")
    for _ in range(3):
        await layer.group_send("news", numbered(1))
    expected = "1 of 1 channels over capacity in group news"
    assert said_by_layers(caplog) == [expected] * 2 * (layers.kind == "Redis")


async def test_what_a_full_queue_drops_in_a_process_that_reads_is_not_logged(layers, caplog):
    caplog.set_level(logging.DEBUG)
    layer = layers.make(capacity=2)
    channel, neighbour = await member_of(layer, "news"), await layer.new_channel()
    for number in (1, 2, 3, 4):
        await layer.group_send("news", numbered(number))
        await layer.send(neighbour, LAST)
        await layer.receive(neighbour)
    assert said_by_layers(caplog) == []
    kept = {"in memory": [1, 2], "Redis": [3, 4], "Redis pub/sub": [1, 2, 3, 4]}
    assert await rest_of(layer, channel) == kept[layers.kind]


def said_by_layers(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("channels")]


# Room and time


@pytest.mark.parametrize("layers", ["in memory", "Redis"], indirect=True)
async def test_there_is_room_for_a_hundred_by_default_and_channel_full_comes_after(layers):
    layer = layers.make()
    channel = await layer.new_channel()
    for number in range(100):
        await layer.send(channel, numbered(number))
    with pytest.raises(ChannelFull) as excinfo:
        await layer.send(channel, numbered(100))
    assert str(excinfo.value) == (channel if layers.kind == "in memory" else "")
    assert await rest_of(layer, channel) == list(range(100))


async def test_a_channel_that_was_full_takes_messages_once_one_was_read(layers):
    layer = layers.make(capacity=2)
    channel = await layer.new_channel()
    for number in (1, 2, 3):
        with suppress(ChannelFull):
            await layer.send(channel, numbered(number))
    await layer.receive(channel)
    await layer.send(channel, numbered(4))
    assert (await rest_of(layer, channel))[-1] == 4


async def test_what_is_younger_than_the_expiry_is_kept(layers):
    layer = layers.make(expiry=60, group_expiry=3600)
    channel = await member_of(layer, "news")
    await layer.send(channel, numbered(1))
    with later(55):
        await layer.group_send("news", numbered(2))
        assert await rest_of(layer, channel) == [1, 2]


@pytest.mark.parametrize("layers", ["Redis"], indirect=True)
async def test_redis_itself_forgets_a_channel_that_nobody_sends_to_and_a_group(layers):
    layer: RedisChannelLayer = layers.make(expiry=60, group_expiry=3600)
    channel = await member_of(layer, "news")
    await layer.send(channel, numbered(1))
    server = layer.connection(0)
    key = layers.prefix + channel.partition("!")[0] + "!"
    assert 58 < await server.ttl(key) <= 60
    assert 3598 < await server.ttl(f"{layers.prefix}:group:news") <= 3600


# Apart


async def test_a_flushed_layer_has_forgotten_messages_and_groups_and_goes_on(layers):
    layer = layers.make()
    channel = await member_of(layer, "news")
    await layer.send(channel, numbered(1))
    await layer.flush()
    await layer.group_send("news", numbered(2))
    fresh = await member_of(layer, "news")
    await layer.group_send("news", numbered(3))
    assert await rest_of(layer, fresh) == [3]
    if layers.kind != "Redis pub/sub":  # there, a flushed channel is one that nobody reads
        assert await rest_of(layer, channel) == []


@pytest.mark.parametrize("layers", ["Redis"], indirect=True)
async def test_flushing_a_prefix_flushes_those_that_begin_with_it(layers):
    chat, chat2 = (layers.make(prefix=layers.prefix + name) for name in ("chat", "chat2"))
    await chat2.send("post", numbered(1))
    await chat.flush()
    assert await rest_of(chat2, "post") == []
