"""`manage.py cluster`: what it refuses, and which programs it starts."""

import re

import pytest
from django.core.management import CommandError

from layers_demo.routing import channel_name_patterns
from lessons.workshop.setup import redis_server
from lessons.workshop.setup.external_programs import REDIS
from lessons.workshop.terminal import cluster


def test_says_what_to_install_without_redis(monkeypatch, settings):
    settings.REDIS_URL = ""
    monkeypatch.setattr(redis_server, "find_binaries", list)
    with pytest.raises(redis_server.RedisUnavailable, match=re.escape(REDIS.missing())):
        cluster.require_redis()


@pytest.mark.parametrize(
    ("url", "error"),
    [("redis://:secret@127.0.0.1:1", "Error 111 connecting"), ("127.0.0.1", "must specify one of")],
)
def test_reports_a_wrong_redis_url_without_its_password(settings, url, error):
    settings.REDIS_URL = url
    with pytest.raises(CommandError, match=f"REDIS_URL leads to no Redis: .*{error}") as raised:
        cluster.require_redis()
    assert "secret" not in str(raised.value)


def test_the_worker_listens_to_every_routed_channel():
    assert set(cluster.CHANNELS) == set(channel_name_patterns)
