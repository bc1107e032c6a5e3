"""Lesson 21 over Redis: another process receives what a command saves."""

import asyncio
from unittest import mock

import pytest
from channels.layers import channel_layers
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.db import connection

from db_demo.models import Post
from lessons.workshop.engine.world.database import fresh_database


def command():
    """Save and delete a post as `manage.py shell` does, without an event loop."""
    try:
        post = Post.objects.create(title="Rain")
        post.delete()
    finally:
        connection.close()


@pytest.mark.parametrize("backend", [RedisChannelLayer, RedisPubSubChannelLayer])
async def test_another_process_receives_what_a_command_saves(redis_url, backend):
    def layer():
        host = {"address": redis_url, "socket_timeout": None}
        return backend(hosts=[host], prefix="liveblog")

    listening = layer()
    channel = await listening.new_channel()
    await listening.group_add("liveblog", channel)
    try:
        with mock.patch.dict(channel_layers.backends, default=layer()):
            async with fresh_database():
                await asyncio.to_thread(command)
        assert [await listening.receive(channel) for _ in range(2)] == [
            {"type": "post.changed", "id": 1},
            {"type": "post.changed", "id": 1},
        ]
    finally:
        await listening.flush()
