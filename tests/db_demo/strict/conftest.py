"""Gives each test a new channel layer."""

import pytest

from lessons.workshop.engine.world.channel_layer import fresh_layers


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers() as layer:
        yield layer
