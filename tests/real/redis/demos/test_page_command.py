"""Lesson 11's command over Redis, with its own event loop and layer as in its own process."""

import asyncio
from io import StringIO
from unittest import mock

import pytest
from channels.layers import channel_layers
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.management import call_command


@pytest.mark.parametrize("backend", [RedisChannelLayer, RedisPubSubChannelLayer])
async def test_over_redis_the_command_reaches_a_channel_of_another_process(redis_url, backend):
    def layer():
        host = {"address": redis_url, "socket_timeout": None}
        return backend(hosts=[host], prefix="page-command")

    listening = layer()
    channel = await listening.new_channel()
    output = StringIO()
    try:
        with mock.patch.dict(channel_layers.backends, default=layer()):
            await asyncio.to_thread(call_command, "page", channel, "tea", stdout=output)
        assert output.getvalue() == "Sent.\n"
        assert await listening.receive(channel) == {"type": "pager.message", "text": "tea"}
    finally:
        await listening.flush()
