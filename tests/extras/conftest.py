"""Gives each test a new channel layer, and the tests of the hardened chat clients of it."""

import pytest

from lessons.workshop.engine.world.channel_layer import fresh_layers
from tests.support.chat_client import chat_at


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers() as layer:
        yield layer


@pytest.fixture
async def chat():
    async with chat_at("chat") as chat:
        yield chat
