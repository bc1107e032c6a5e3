"""The layers that the contract holds for: in memory, and two on a real Redis."""

import pytest

from tests.support.redis.redis_layers import KINDS, Layers


@pytest.fixture(params=KINDS)
async def layers(request):
    """Makes layers of one kind; a test that asks for it is run with each of the three."""
    in_memory = request.param == "in memory"
    async with Layers(
        request.param, "" if in_memory else request.getfixturevalue("redis_url")
    ) as it:
        yield it
