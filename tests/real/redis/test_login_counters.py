"""The limit of login_throttle.py in a cache on Redis, which all servers share."""

import secrets
from types import SimpleNamespace

import pytest
from django.core.cache.backends.redis import RedisCache

from lessons.extras import login_throttle


def test_two_servers_count_wrong_passwords_together(redis_url, monkeypatch):
    """Each server has its own connection to the cache. The time stays in one window."""
    monkeypatch.setattr(login_throttle, "time", SimpleNamespace(time=lambda: 6_000.0))
    servers = [RedisCache(redis_url, {"KEY_PREFIX": secrets.token_hex(4)})]
    servers.append(RedisCache(redis_url, {"KEY_PREFIX": servers[0].key_prefix}))
    counters = set()
    for number in range(login_throttle.PER_NAME):
        monkeypatch.setattr(login_throttle, "cache", servers[number % 2])
        counters.update(login_throttle.count_attempt("192.0.2.1", "ada"))
    with pytest.raises(login_throttle.TooManyLogins):
        login_throttle.count_attempt("192.0.2.1", "ada")
    client = servers[0]._cache.get_client()
    ages = [client.ttl(servers[0].make_and_validate_key(counter)) for counter in counters]
    assert all(0 < age <= 2 * login_throttle.WINDOW for age in ages), ages  # a counter is deleted
