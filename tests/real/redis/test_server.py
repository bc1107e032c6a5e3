"""setup/redis_server.py: a private Redis server, with each binary on this machine."""

import os
import re
import signal
from pathlib import Path

import pytest
from channels_redis.core import RedisChannelLayer
from redis.exceptions import ConnectionError

from lessons.workshop.setup.external_programs import REDIS
from lessons.workshop.setup.redis_server import (
    RedisServer,
    RedisUnavailable,
    find_binaries,
    version_of,
)


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
    monkeypatch.setattr("lessons.workshop.setup.redis_server.find_binaries", list)
    with pytest.raises(RedisUnavailable, match=re.escape(REDIS.missing())):
        RedisServer()


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """`on_path("a", "redis-server", "v=8.0.1 ...")`: a server in folder a, the next of the PATH."""
    monkeypatch.delenv("REDIS_SERVER", raising=False)
    monkeypatch.setattr("lessons.workshop.setup.redis_server.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")

    def add(folder, name, version):
        binary = tmp_path / folder / name
        binary.parent.mkdir(exist_ok=True)
        answer = f'[ "$1" = --version ] && echo "{version}"' if version else "exit 127"
        binary.write_text(f"#!/bin/sh\n{answer}\n")
        binary.chmod(0o755)
        folders = os.environ["PATH"].split(os.pathsep)
        if str(binary.parent) not in folders:
            monkeypatch.setenv(
                "PATH", os.pathsep.join([*filter(None, folders), str(binary.parent)])
            )
        return str(binary)

    return add


def test_finds_the_servers_of_every_folder_on_the_path_the_newest_first(on_path):
    old = on_path("a", "redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=libc")
    newest = on_path("b", "redis-server", "Redis server v=8.10.0 sha=00000000:1 malloc=libc")
    valkey = on_path("b", "valkey-server", "Valkey server v=8.9.2 sha=00000000:1 malloc=libc")
    early_valkey = on_path("c", "valkey-server", "Server v=7.2.5 sha=00000000:0 malloc=libc")
    assert find_binaries() == [newest, valkey, early_valkey, old]
    assert version_of(newest) == (8, 10, 0)


def test_lists_a_server_of_several_folders_once(on_path):
    first = on_path("a", "redis-server", "Redis server v=7.0.15 sha=00000000:0 build=ae4d")
    on_path("b", "redis-server", "Redis server v=7.0.15 sha=00000000:0 build=ae4d")
    other_build = on_path("c", "redis-server", "Redis server v=7.0.15 sha=00000000:0 build=ffff")
    assert find_binaries() == [first, other_build]


def test_does_not_list_a_server_that_does_not_run(on_path):
    broken = on_path("a", "redis-server", None)
    works = on_path("b", "redis-server", "Redis server v=6.2.14 sha=00000000:0")
    assert find_binaries() == [works]
    assert version_of(broken) == ()


def test_asks_each_server_once_for_its_version(on_path, monkeypatch):
    server = on_path("a", "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    find_binaries()
    monkeypatch.setattr("lessons.workshop.setup.redis_server.subprocess.run", None)
    assert find_binaries() == [server]


def test_the_servers_of_this_machine_report_their_versions(redis_binaries):
    versions = [version_of(binary) for binary in redis_binaries]
    assert all(versions)
    assert versions == sorted(versions, reverse=True)


def test_redis_server_wins_over_a_newer_server(on_path, monkeypatch):
    on_path("a", "redis-server", "Redis server v=99.0.0 sha=00000000:0")
    monkeypatch.setenv("REDIS_SERVER", "/opt/redis")
    assert find_binaries() == ["/opt/redis"]


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
