"""`manage.py cluster`: its processes end together, and none remains at the end."""

import os
import signal
from contextlib import suppress

import psutil
import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR
from tests.support.programs.processes import start_with_pipe
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram

# The real supervisor and processes, except that the servers and the worker serve nothing.
PROGRAM = """
from pathlib import Path
from django.conf import settings
settings.configure(BASE_DIR=Path(__file__).parent)
from lessons.workshop.terminal import cluster
if __name__ == "__main__":
    cluster.supervise([8000, 8001], "redis://none")
"""
MANAGE = """
import os, signal, sys
words = ["ready", *sys.argv[1:], str(os.getpid()), os.environ["CLUSTER_PORTS"]]
os.write(1, f"{' '.join(words)}\\n".encode())  # at once: all write to the same pipe
signal.pause()
"""


WEB = ["runserver 127.0.0.1:8000 --noreload", "runserver 127.0.0.1:8001 --noreload"]
WORKER = "runworker primes"


class Cluster(RunningProgram):
    """A cluster in its own process group, as in a terminal; all its processes are ready."""

    all = ()

    def __init__(self, folder):
        (folder / "manage.py").write_text(MANAGE)
        (folder / "program.py").write_text(PROGRAM)
        self.folder = folder

    def start(self):
        environment = os.environ | {"PYTHONPATH": str(PROJECT_DIR)}
        place = {"cwd": PROJECT_DIR, "env": environment, "session": True}
        return start_with_pipe([self.folder / "program.py"], **place)

    def wait_until_ready(self):
        self.pids = {}
        while len(self.pids) < 3:
            _, *words, pid, _ports = self.wait_for_words("ready ").split()
            self.pids[" ".join(words)] = int(pid)
        self.seen = len(self.lines)
        self.all = psutil.Process(self.process.pid).children(recursive=True)

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
def running(tmp_path):
    with Cluster(tmp_path) as started:
        yield started


def test_ctrl_c_ends_all_processes(running):
    assert set(running.pids) == {*WEB, WORKER}
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.ended() == 130


def test_the_cluster_ends_when_a_web_server_is_killed(running):
    os.kill(running.pids[WEB[1]], signal.SIGKILL)
    assert running.ended() == 0


def test_a_worker_that_ends_leaves_the_web_servers_running(running):
    os.kill(running.pids[WORKER], signal.SIGKILL)
    worker = next(one for one in running.all if one.pid == running.pids[WORKER])
    psutil.wait_procs([worker], TEST_TIMEOUT)
    assert psutil.Process(running.pids[WEB[0]]).is_running()
    os.killpg(running.process.pid, signal.SIGTERM)
    assert running.ended() == 143
