"""Gives each test a new channel layer in memory, also if REDIS_URL is set."""

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers


@pytest.fixture(autouse=True)
def layer(monkeypatch):
    layer = InMemoryChannelLayer()
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    return layer
