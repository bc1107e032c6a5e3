"""`manage.py cluster`: Redis and the worker start again, and no process remains at the end."""

import asyncio
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager, suppress
from unittest import mock

import psutil
import pytest
from channels.layers import channel_layers
from channels.testing import WebsocketCommunicator
from channels_redis.core import RedisChannelLayer
from django.core.management import CommandError, call_command

from layers_demo.consumers import Primes
from layers_demo.routing import channel_name_patterns
from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.setup.external_programs import REDIS
from lessons.workshop.setup.redis_server import RedisServer
from lessons.workshop.terminal import cluster
from tests.support.programs.processes import project_environment, run, start_with_pipe
from tests.support.programs.running_program import TEST_TIMEOUT, RunningWorker

START_OPTIONS = {"cwd": PROJECT_DIR, "env": project_environment()}

# The real supervisor and processes, except that the servers and the worker serve nothing.
PROGRAM = """
import asyncio, sys
from pathlib import Path
from django.conf import settings
from lessons.workshop.setup import redis_server
folder = Path(sys.argv[1])
settings.configure(BASE_DIR=folder)
from lessons.workshop.terminal.cluster import commands, environment, supervise
redis = folder / "redis"
redis.mkdir()
environment = environment([8000, 8001], redis_server.redis_url_of(redis))
sys.exit(asyncio.run(supervise(commands([8000, 8001], str(redis)), environment)))
"""
MANAGE = """
import os, signal, sys
print("ready", *sys.argv[1:], os.getpid(), os.environ["CLUSTER_PORTS"])
signal.pause()
"""


class Cluster:
    """A cluster in its own process group, as in a terminal; all its processes are ready.

    A context manager.
    """

    def __init__(self, folder, program=PROGRAM, manage=MANAGE):
        (folder / "manage.py").write_text(manage)
        self.folder = folder
        (folder / "program.py").write_text(program)
        self.process = start_with_pipe(
            [folder / "program.py", folder], **START_OPTIONS, session=True
        )
        self.output, self.pids = "", {}
        while len(self.pids) < 3:
            name, _, text = self.read_until("| ready ").partition("| ready ")
            self.pids[name.split(maxsplit=1)[1].strip()] = int(text.split()[-2])
        self.all = psutil.Process(self.process.pid).children(recursive=True)

    def read_until(self, words):
        """Read lines of the log until one has these words. Returns it."""
        while line := self.process.stdout.readline():
            self.output += line
            if words in line:
                return line
        raise AssertionError(f"no {words!r} in:\n{self.output}")

    def process_with(self, words):
        """The process with these words in its command."""
        return next(one for one in self.all if words in " ".join(one.cmdline()))

    def ended(self) -> int:
        """The exit code, after every process has ended and all output was read."""
        code = self.process.wait(TEST_TIMEOUT)
        assert psutil.wait_procs(self.all, TEST_TIMEOUT)[1] == []
        self.output += self.process.stdout.read()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.all:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def running(tmp_path, redis_binaries):
    with Cluster(tmp_path) as started:
        yield started


def test_ctrl_c_ends_all_processes(running):
    assert set(running.pids) == {"web 8000", "web 8001", "worker"}
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.ended() == 130
    assert "redis    | " in running.output
    assert "system   | redis stopped (rc=0)" in running.output


def test_the_cluster_ends_when_a_web_server_is_killed(running):
    os.kill(running.pids["web 8001"], signal.SIGKILL)
    assert running.ended() != 0
    assert "web 8001 stopped (rc=-9)" in running.output


HURRIED = """
from lessons.workshop.terminal import cluster
cluster.FIRST_PAUSE, cluster.MAX_PAUSE = 0.1, 0.2
"""


@pytest.fixture
def hurried(tmp_path, redis_binaries):
    """A cluster with short pauses before a restart."""
    with Cluster(tmp_path, HURRIED + PROGRAM) as started:
        yield started
        os.killpg(started.process.pid, signal.SIGINT)
        assert started.ended() == 130


def test_a_worker_that_ends_starts_again_after_a_pause_that_grows(hurried):
    pid = hurried.pids["worker"]
    for pause in (0.1, 0.2, 0.2):
        os.kill(pid, signal.SIGKILL)
        assert "worker stopped (rc=-9)" in hurried.read_until("worker stopped")
        assert f"worker starts again in {pause} s\n" in hurried.read_until("worker starts")
        pid = int(hurried.read_until("| ready ").split()[-2])
    assert hurried.output.count("stopped") == 3


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the server with its parent")
def test_redis_starts_again_at_the_same_address(hurried, how):
    hurried.process_with(" redis ").send_signal(how)
    hurried.read_until("redis starts again")
    hurried.read_until("redis started")
    url = cluster.redis_server.redis_url_of(hurried.folder / "redis")
    cluster.wait_for_redis(url, TEST_TIMEOUT)
    assert hurried.output.count("stopped") == 1


PATIENT = """
from lessons.workshop.terminal import cluster
cluster.FIRST_PAUSE = 600
"""


def test_ctrl_c_ends_a_cluster_whose_worker_waits_for_its_restart(tmp_path, redis_binaries):
    with Cluster(tmp_path, PATIENT + PROGRAM) as running:
        os.kill(running.pids["worker"], signal.SIGKILL)
        assert "worker starts again in 600 s\n" in running.read_until("worker starts")
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.ended() == 130
    assert running.output.count("worker started") == 1


# In the same time, the killed processes must be reported.
IMPATIENT = """
from lessons.workshop.terminal import cluster
cluster.KILL_TIMEOUT = 2
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + MANAGE


def test_a_process_that_ignores_sigterm_is_killed(tmp_path, redis_binaries):
    with Cluster(tmp_path, IMPATIENT + PROGRAM, manage=STUBBORN) as running:
        os.killpg(running.process.pid, signal.SIGINT)
        assert running.ended() == 130
    for name in ("web 8000", "web 8001", "worker"):
        assert f"| {name} stopped (rc=-9)\n" in running.output


def test_a_killed_cluster_leaves_no_process_behind(running):
    running.process.kill()
    assert running.ended() == -signal.SIGKILL
    assert not (running.folder / "redis").exists()


def test_the_cluster_ends_with_the_reader_of_its_log(running):
    running.process.stdout.close()
    os.kill(running.pids["worker"], signal.SIGKILL)
    assert running.process.wait(TEST_TIMEOUT) == 1
    assert psutil.wait_procs(running.all, TEST_TIMEOUT)[1] == []


EARLY = """
import os
from lessons.workshop.terminal import cluster
start = cluster._start
def kill_and_start(*words):
    os.kill(os.getpid(), 15)
    return start(*words)
cluster._start = kill_and_start
"""


def test_sigterm_ends_a_cluster_whose_processes_are_starting(tmp_path, redis_binaries):
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "early.py").write_text(EARLY + PROGRAM)
    done = run([tmp_path / "early.py", tmp_path], **START_OPTIONS)
    assert (done.returncode, done.stderr) == (143, "")
    assert done.stdout.count(" stopped (rc=") == 4


WRITER = """
import io, os, signal, sys
class Interrupted(io.RawIOBase):
    def writable(self):
        return True
    def write(self, data):
        if b"worker   | ready" in bytes(data):
            os.kill(os.getpid(), signal.SIGINT)
        return os.write(1, data)
sys.stdout = io.TextIOWrapper(io.BufferedWriter(Interrupted()))
"""


def test_ctrl_c_works_while_a_line_is_written(tmp_path, redis_binaries):
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "writing.py").write_text(WRITER + PROGRAM)
    done = run([tmp_path / "writing.py", tmp_path], **START_OPTIONS)
    assert (done.returncode, done.stderr) == (130, "")
    assert done.stdout.count(" stopped (rc=") == 4


# Only a worker, with the settings of the project and a Redis that the cluster did not start.
WORKER = """
import asyncio, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "lessons.settings"
from lessons.workshop.terminal.cluster import commands, environment, supervise
only = {"worker": commands([], None)["worker"]}
sys.exit(asyncio.run(supervise(only, environment([], sys.argv[1]))))
"""


@asynccontextmanager
async def primes_client(url):
    layer = RedisChannelLayer([{"address": url, "socket_timeout": None}])
    with mock.patch.dict(channel_layers.backends, default=layer):
        client = WebsocketCommunicator(Primes.as_asgi(), "/ws/layers/worker/")
        assert await client.connect(TEST_TIMEOUT) == (True, None)
        yield client
        await client.disconnect()
    await layer.close_pools()


class WorkerCluster(RunningWorker):
    def __init__(self, folder, redis_url):
        self.words = [folder / "program.py", redis_url]
        self.words[0].write_text(HURRIED + WORKER)

    def start(self):
        return start_with_pipe(self.words, **START_OPTIONS)

    def wait_until_logged(self, words):
        with self.lines_changed:
            logged = self.lines_changed.wait_for(
                lambda: words in "\n".join(self.lines), TEST_TIMEOUT
            )
            assert logged, self.lines


async def test_the_worker_answers_again_after_an_outage_of_redis(tmp_path, redis_binaries):
    with RedisServer() as redis, WorkerCluster(tmp_path, redis.url) as running:
        for outage in (True, False):
            async with primes_client(redis.url) as client:
                await client.send_to(text_data="91")
                assert await client.receive_from(TEST_TIMEOUT) == "91 = 7 * 13"
            if outage:
                redis.stop(signal.SIGKILL)
                await asyncio.to_thread(running.wait_until_logged, "worker starts again in 0.1 s")
                redis.start()
        running.process.terminate()
        assert await asyncio.to_thread(running.wait_until_ended) == 128 + signal.SIGTERM
    log = "\n".join(running.lines)
    assert "worker | runworker needs Redis: " in log
    assert "worker stopped (rc=1)" in log
    assert "Traceback" not in log


def test_reports_a_taken_port_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"^Port {port} is taken"):
            call_command("cluster", port=port)


def test_says_what_to_install_without_redis(monkeypatch, settings):
    settings.REDIS_URL = ""
    monkeypatch.setattr(cluster.redis_server, "find_binaries", list)
    with pytest.raises(CommandError, match=re.escape(REDIS.missing())):
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


def test_starts_no_redis_if_redis_url_names_one(tmp_path):
    assert "redis" not in cluster.commands([1, 2], None)
    assert list(cluster.commands([1, 2], str(tmp_path))) == ["redis", "web 1", "web 2", "worker"]


def test_free_ports_are_two_different_ports():
    first, second = cluster.free_ports(0)
    assert first != second


def test_the_worker_listens_to_every_routed_channel():
    assert set(cluster.CHANNELS) == set(channel_name_patterns)
