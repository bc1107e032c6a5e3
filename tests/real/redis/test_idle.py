"""The project's layers on a real Redis: a consumer can wait for a message as long as it takes."""

import asyncio
import runpy

import pytest
from channels.layers import ChannelLayerManager
from django.conf import settings as project_settings
from redis.exceptions import TimeoutError as RedisTimeout

REDIS_PY_TIMEOUT = 5  # seconds: redis-py 8 stops reading then, as channels_redis would
TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long


def layers_of(manager):
    return {alias: manager[alias] for alias in manager.configs if alias != "wire"}


@pytest.fixture
def project_on_redis(redis_url, monkeypatch, settings):
    """A manager of the layers that the project has with this REDIS_URL."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    project = runpy.run_path(str(project_settings.BASE_DIR / "lessons" / "settings.py"))
    settings.CHANNEL_LAYERS = project["CHANNEL_LAYERS"]
    return ChannelLayerManager()


async def received_after(layer, seconds):
    """The type of the message that a consumer gets after so long, or the error before that."""
    channel = await layer.new_channel()
    waiting = asyncio.ensure_future(layer.receive(channel))
    try:
        await asyncio.wait([waiting], timeout=seconds)
        if not waiting.done():
            await layer.send(channel, {"type": "still.there"})
        return (await waiting)["type"]
    except RedisTimeout as error:
        return str(error)
    finally:
        await getattr(layer, "close_pools", layer.flush)()  # deletes no keys of other layers


async def test_every_layer_of_the_project_waits_longer_than_the_timeout_of_redis_py(
    project_on_redis,
):
    """A layer with the default timeout does not. So the project's own setting is still needed."""
    layers = layers_of(project_on_redis)
    host = {"address": project_settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["address"]}
    impatient = type(layers["default"])(hosts=[host], prefix="default-timeout")
    error, *received = await asyncio.gather(
        received_after(impatient, TEST_TIMEOUT),
        *(received_after(layer, REDIS_PY_TIMEOUT + 1) for layer in layers.values()),
    )
    assert error.startswith("Timeout reading from ")
    received = dict(zip(layers, received, strict=True))
    assert received == dict.fromkeys(["default", "pubsub", "encrypted"], "still.there")
