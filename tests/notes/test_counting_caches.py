"""What NOTES.md says of caches that count."""

import asyncio

import django
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.cache.backends.redis import RedisCache

from lessons.workshop.engine.world.cache import fresh_cache


async def test_before_django_6_1_only_one_of_two_calls_of_aincr_at_the_same_time_counts():
    with fresh_cache():
        await cache.aset("used", 0)
        found = await asyncio.gather(cache.aincr("used"), cache.aincr("used"))
        assert sorted(found) == ([1, 1] if django.VERSION < (6, 1) else [1, 2])
        assert await cache.aget("used") == max(found)


def test_only_some_caches_count_in_one_step():
    for kind in (RedisCache, BaseMemcachedCache, LocMemCache):
        assert kind.incr is not BaseCache.incr
        assert kind.aincr is BaseCache.aincr
    for kind in (DatabaseCache, FileBasedCache):
        assert kind.incr is BaseCache.incr
