"""`manage.py cluster`: Redis and the worker start again, and no process remains at the end."""

import os
import signal
import sys
from contextlib import suppress

import psutil
import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.terminal import cluster
from tests.support.programs.processes import project_environment, start_with_pipe
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram

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


class Cluster(RunningProgram):
    """A cluster in its own process group, as in a terminal; all its processes are ready."""

    def __init__(self, folder, program=PROGRAM, manage=MANAGE):
        (folder / "manage.py").write_text(manage)
        (folder / "program.py").write_text(program)
        self.folder = folder

    def start(self):
        command = [self.folder / "program.py", self.folder]
        return start_with_pipe(command, **START_OPTIONS, session=True)

    def wait_until_ready(self):
        self.pids = {}
        while len(self.pids) < 3:
            name, _, text = self.read_until("| ready ").partition("| ready ")
            self.pids[name.split(maxsplit=1)[1].strip()] = int(text.split()[-2])
        self.all = psutil.Process(self.process.pid).children(recursive=True)

    def read_until(self, words):
        line = self.wait_for_words(words)
        assert line, f"no {words!r} in:\n{self.output}"
        return line

    def process_with(self, words):
        """The process with these words in its command."""
        return next(one for one in self.all if words in " ".join(one.cmdline()))

    def ended(self) -> int:
        """The exit code, after every process has ended and all output was read."""
        code = self.process.wait(TEST_TIMEOUT)
        assert psutil.wait_procs(self.all, TEST_TIMEOUT)[1] == []
        self.join_reader()
        return code

    def __exit__(self, *_):
        for one in self.all:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.kill()
        super().__exit__()


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
        assert hurried.read_until("worker starts").endswith(f"worker starts again in {pause} s")
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
        assert f"| {name} stopped (rc=-9)\n" in f"{running.output}\n"


def test_a_killed_cluster_leaves_no_process_behind(running):
    running.process.kill()
    assert running.ended() == -signal.SIGKILL
    assert not (running.folder / "redis").exists()


# Only a worker, with the settings of the project and a Redis that the cluster did not start.
