"""The cache of a check: it is empty at first, and no other check sees it."""

from django.core.cache import cache

from lessons.workshop.engine.world.cache import fresh_cache


async def test_starts_empty_and_is_not_shared():
    cache.set("mine", 1)
    with fresh_cache():
        assert cache.get("mine") is None
        cache.set("mine", 2)
    assert cache.get("mine") == 1
    with fresh_cache():
        assert cache.get("mine") is None
    cache.delete("mine")
