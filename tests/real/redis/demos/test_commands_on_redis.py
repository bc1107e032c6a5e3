"""Lessons 11 and 20 over Redis: another process receives what a command sends or saves."""

import asyncio
from io import StringIO
from unittest import mock

import pytest
from channels.layers import channel_layers
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.management import call_command
from django.db import connection

from db_demo.models import Post
from lessons.workshop.engine.world.database import fresh_database


@pytest.fixture(params=[RedisChannelLayer, RedisPubSubChannelLayer])
async def listening(request, redis_url):
    """The layer of another process; a command that runs now has its own one."""

    def layer():
        host = {"address": redis_url, "socket_timeout": None}
        return request.param(hosts=[host], prefix="commands")

    other = layer()
    with mock.patch.dict(channel_layers.backends, default=layer()):
        yield other
    await other.flush()


async def test_the_page_command_reaches_a_channel_of_another_process(listening):
    channel, output = await listening.new_channel(), StringIO()
    await asyncio.to_thread(call_command, "page", channel, "tea", stdout=output)
    assert output.getvalue() == "Sent.\n"
    assert await listening.receive(channel) == {"type": "pager.message", "text": "tea"}


def save_and_delete():
    """As `manage.py shell` does, without an event loop."""
    try:
        Post.objects.create(title="Rain").delete()
    finally:
        connection.close()


async def test_another_process_receives_what_a_command_saves_and_deletes(listening):
    channel = await listening.new_channel()
    await listening.group_add("liveblog", channel)
    async with fresh_database():
        await asyncio.to_thread(save_and_delete)
    received = [await listening.receive(channel) for _ in range(2)]
    assert received == [{"type": "post.changed", "id": 1}] * 2
