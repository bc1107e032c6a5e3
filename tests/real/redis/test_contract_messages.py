"""Which values, sizes and names every channel layer accepts."""

import pytest

from tests.support.redis.redis_layers import member_of, numbered

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


# Names


@pytest.mark.parametrize("layers", ["in memory", "Redis"], indirect=True)
@pytest.mark.parametrize("name", ["straße", "a" * 100, None])
async def test_a_name_is_checked_on_every_call(layers, name):
    layer = layers.make()
    for call in (
        *(layer.group_add(name, "post"), layer.group_discard(name, "post")),
        *(layer.group_send(name, numbered(1)), layer.group_add("news", name)),
        *(layer.send(name, numbered(1)), layer.receive(name)),
    ):
        with pytest.raises(TypeError, match="must be a valid unicode string with length < 100"):
            await call
