"""The project's own layers on a real Redis: a consumer may wait for as long as nobody speaks."""

import asyncio
import runpy

import pytest
from channels.layers import ChannelLayerManager
from django.conf import settings as own
from redis.exceptions import TimeoutError as GivenUp

TRAP = 5  # seconds: redis-py 8 gives up reading then, as channels_redis would end its wait


def layers_of(manager):
    return {alias: manager[alias] for alias in manager.configs if alias != "wire"}


@pytest.fixture
def project_on_redis(redis_url, monkeypatch, settings):
    """A manager of the layers that the project has with this REDIS_URL."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    project = runpy.run_path(str(own.BASE_DIR / "lessons" / "settings.py"))
    settings.CHANNEL_LAYERS = project["CHANNEL_LAYERS"]
    return ChannelLayerManager()


async def hears_after(layer, seconds):
    """What a consumer that has waited for that long is told then."""
    channel = await layer.new_channel()
    waiting = asyncio.ensure_future(layer.receive(channel))
    try:
        await asyncio.wait([waiting], timeout=seconds)
        if not waiting.done():
            await layer.send(channel, {"type": "still.there"})
        return (await waiting)["type"]
    except GivenUp as error:
        return str(error)
    finally:
        await getattr(layer, "close_pools", layer.flush)()  # the others' keys are left alone


async def test_every_layer_of_the_project_waits_longer_than_the_timeout_of_redis_py(
    project_on_redis,
):
    """And a layer whose hosts leave the time-out as it comes does not: the trap is still there."""
    layers = layers_of(project_on_redis)
    host = {"address": own.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]["address"]}
    layers["trapped"] = type(layers["default"])(hosts=[host], prefix="trapped")
    heard = await asyncio.gather(*(hears_after(layer, TRAP + 1) for layer in layers.values()))
    heard = dict(zip(layers, heard, strict=True))
    assert heard.pop("trapped").startswith("Timeout reading from ")
    assert heard == dict.fromkeys(["default", "pubsub", "encrypted"], "still.there")
