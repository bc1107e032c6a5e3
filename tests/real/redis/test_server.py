"""setup/redis_server.py: a private Redis server, with each binary on this machine."""

import os
from pathlib import Path

import pytest

from lessons.workshop.setup.redis_server import (
    RedisServer,
    RedisUnavailable,
    find_binaries,
)


def test_leaves_no_process_and_no_file_behind(redis_binaries):
    with RedisServer() as server:
        process = server._process
        folder = Path(server.url.removeprefix("unix://")).parent
        assert folder.is_dir()
    assert process.returncode == 0
    assert not folder.exists()


def test_finds_the_servers_of_every_folder_on_the_path_once(tmp_path, monkeypatch):
    monkeypatch.delenv("REDIS_SERVER", raising=False)
    monkeypatch.setattr("lessons.workshop.setup.redis_server.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / one) for one in "abc"))

    def add(name):
        binary = tmp_path / name
        binary.parent.mkdir(exist_ok=True)
        binary.touch(0o755)
        return str(binary)

    servers = [add("a/redis-server"), add("b/valkey-server")]
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "redis-server").symlink_to(servers[0])
    assert {*map(os.path.realpath, find_binaries())} == {*servers}
    assert len(find_binaries()) == 2


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
