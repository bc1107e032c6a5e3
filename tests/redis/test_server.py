"""lessons/core/redis_server.py: a private Redis server, with each binary on this machine."""

import signal
from pathlib import Path

import pytest
from channels_redis.core import RedisChannelLayer
from redis.exceptions import ConnectionError

from lessons.core.redis_server import RedisServer, RedisUnavailable, find_binaries


async def round_trip(url):
    layer = RedisChannelLayer(hosts=[{"address": url, "socket_timeout": None}])
    try:
        await layer.send("here", {"type": "said", "text": "é"})
        return await layer.receive("here")
    finally:
        await layer.close_pools()


async def test_serves_a_channel_layer_with_each_binary(redis_binaries):
    for binary in redis_binaries:
        with RedisServer(binary) as server:
            assert await round_trip(server.url) == {"type": "said", "text": "é"}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_restarts_at_the_same_address_without_its_data(redis_binaries, how):
    with RedisServer() as server:
        url = server.url
        server.stop(how)
        with pytest.raises(ConnectionError, match=r"Connection refused|No such file"):
            await round_trip(url)
        server.start()
        assert server.url == url
        assert await round_trip(url) == {"type": "said", "text": "é"}


def test_leaves_no_process_and_no_file_behind(redis_binaries):
    with RedisServer() as server:
        process = server._process
        folder = Path(server.url.removeprefix("unix://")).parent
        assert folder.is_dir()
    assert process.returncode == 0
    assert not folder.exists()


def test_without_a_binary_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr("lessons.core.redis_server.find_binaries", list)
    with pytest.raises(RedisUnavailable, match="apt-get install redis-server"):
        RedisServer()


@pytest.mark.parametrize(("chosen", "found"), [("/opt/redis", ["/opt/redis"]), ("", [])])
def test_redis_server_names_the_binary_or_none(monkeypatch, chosen, found):
    monkeypatch.setenv("REDIS_SERVER", chosen)
    assert find_binaries() == found


def test_a_failed_start_shows_the_servers_log(tmp_path):
    binary = tmp_path / "redis-server"
    binary.write_text('#!/bin/sh\nfor last; do :; done\necho "no memory" > "$8"\nexit 1\n')
    binary.chmod(0o755)
    with (
        pytest.raises(RedisUnavailable, match="no memory"),
        RedisServer(str(binary)),
    ):
        pass
