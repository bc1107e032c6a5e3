"""Fixtures for tests of the channel layers: one in memory, and two on a real Redis."""

import pytest

from tests.support.redis.redis_layers import KINDS, Layers


@pytest.fixture(params=KINDS)
async def layers(request):
    """Makes layers of one kind. A test with this fixture runs with each of the three kinds."""
    in_memory = request.param == "in memory"
    async with Layers(
        request.param, "" if in_memory else request.getfixturevalue("redis_url")
    ) as it:
        yield it
