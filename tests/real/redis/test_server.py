"""setup/redis_server.py: a private Redis server, with each binary on this machine."""

import os
from pathlib import Path

import pytest
from channels_redis.core import RedisChannelLayer

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


def test_leaves_no_process_and_no_file_behind(redis_binaries):
    with RedisServer() as server:
        process = server._process
        folder = Path(server.url.removeprefix("unix://")).parent
        assert folder.is_dir()
    assert process.returncode == 0
    assert not folder.exists()


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
    broken = on_path("c", "redis-server", None)
    on_path("d", "redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=libc")  # again
    assert find_binaries() == [newest, valkey, early_valkey, old]
    assert (version_of(newest), version_of(broken)) == ((8, 10, 0), ())


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
