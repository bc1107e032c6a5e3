"""Limits: what NOTES.md says of caches, of windows and of buckets."""

import asyncio
from types import SimpleNamespace
from unittest import mock

import django
import pytest
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import BaseMemcachedCache
from django.core.cache.backends.redis import RedisCache

from auth_demo.token_bucket import TokenBucket
from lessons.extras.hardened_chat.rate_limit import take
from lessons.workshop.engine.world.cache import fresh_cache

MINUTE = 60
BOUNDARY = 1_800_000_000  # seconds: a minute begins here


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


@pytest.mark.django_db
def test_a_fixed_window_lets_twice_the_quota_pass_around_its_boundary():
    with mock.patch("time.time") as clock:
        clock.return_value = BOUNDARY - 1
        before = [take("pages of ada", 3, MINUTE) for _ in range(4)]
        clock.return_value = BOUNDARY
        after = [take("pages of ada", 3, MINUTE) for _ in range(4)]
    assert before == after == [True, True, True, False]


async def test_a_bucket_lets_one_more_pass_for_each_new_token():
    clock = mock.Mock(return_value=BOUNDARY - 1)
    with mock.patch("asyncio.get_running_loop", return_value=SimpleNamespace(time=clock)):
        bucket = TokenBucket(size=3, seconds=20)
    before = [bucket.take() for _ in range(4)]
    clock.return_value = BOUNDARY
    after = [bucket.take() for _ in range(4)]
    assert (before, after) == ([0, 0, 0, 20], [19] * 4)
    clock.return_value += 19
    assert [bucket.take() for _ in range(2)] == [0, 20]
