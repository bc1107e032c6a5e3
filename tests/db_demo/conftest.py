"""Each test has a channel layer of its own, and nobody is left in its groups."""

import pytest

from lessons.simulator.channel_layer import fresh_layers


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers() as layer:
        yield layer
