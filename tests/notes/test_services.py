"""The systemd unit and the compose file of NOTES.md: their commands, as real processes."""

import getpass
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec

import pytest
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect

from lessons.workshop.authoring.notes import NOTES
from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.processes import project_environment, start_with_pipe
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram, wait_until
from tests.support.required_programs import skip_or_fail

SYSTEMD = shutil.which("systemd-analyze")
TEXT = NOTES.read_text(encoding="utf-8")
[UNIT] = re.findall(r"^```ini\n(\[Unit\].*?)^```$", TEXT, re.M | re.S)
[COMPOSE] = re.findall(r"^```yaml\n(x-site: .*?)^```$", TEXT, re.M | re.S)
UNIT_COMMAND = re.search(r"^ExecStart=\S+/python (.+)$", UNIT, re.M)[1]


class Service(RunningProgram):
    """A command of a unit or a compose file, with this project and this Redis."""

    def __init__(self, command, redis_url):
        words = shlex.split(command.replace("mysite.asgi", "lessons.asgi"))
        self.words = words[1:] if words[0] == "python" else words
        if self.words[0] == "daphne":
            self.words.insert(0, "-m")
        self.env = project_environment(
            REDIS_URL=redis_url, DJANGO_SETTINGS_MODULE="lessons.settings"
        )

    def start(self):
        return start_with_pipe(self.words, cwd=PROJECT_DIR, env=self.env)


@pytest.fixture
def redis(redis_binaries):
    with RedisServer() as server:
        yield server


@pytest.fixture
def services():
    if find_spec("yaml") is None:
        skip_or_fail("There is no PyYAML: pip install --require-hashes -r .ci/extras.txt")
    import yaml

    return yaml.safe_load(COMPOSE)["services"]


def factors(port, number):
    """What a web server at this port answers to lesson 15's page."""
    url, page = f"ws://127.0.0.1:{port}/ws/layers/worker/", f"http://127.0.0.1:{port}"
    with connect(url, origin=page, proxy=None) as client:
        client.send(number)
        return client.recv(timeout=TEST_TIMEOUT)


def is_up(port):
    try:
        connect(f"ws://127.0.0.1:{port}/ws/sync/stop/", proxy=None).close()
    except OSError:
        return False
    except InvalidHandshake:
        return True  # a handshake without an origin is rejected
    return True


@pytest.mark.skipif(SYSTEMD is None, reason="There is no systemd on this machine")
def test_systemd_accepts_the_unit_of_a_worker(tmp_path):
    """With this machine's user, Python and folder: systemd checks that they exist."""
    text = UNIT.replace("/srv/mysite/.venv/bin/python", sys.executable)
    text = text.replace("/srv/mysite", str(PROJECT_DIR)).replace("mysite", getpass.getuser())
    file = tmp_path / "primes.service"
    file.write_text(text)
    checked = subprocess.run(
        [SYSTEMD, "verify", "--man=no", file], capture_output=True, text=True, check=False
    )
    assert [line for line in checked.stderr.splitlines() if file.name in line] == []
    assert checked.returncode == 0


def test_the_worker_of_the_unit_ends_with_code_1_without_redis():
    with Service(f"python {UNIT_COMMAND}", "redis://127.0.0.1:1/0") as worker:
        assert worker.process.wait(TEST_TIMEOUT) == 1


def test_the_services_of_the_compose_file_do_a_job_together(redis, services, unused_tcp_port):
    web = services["web"]["command"].replace("-b 0.0.0.0", "-b 127.0.0.1")
    commands = [web.replace("8000", str(unused_tcp_port)), services["worker"]["command"]]
    assert services["worker"]["command"] == f"python {UNIT_COMMAND}"
    with ExitStack() as running:
        for command in commands:
            running.enter_context(Service(command, redis.url))
        wait_until(lambda: is_up(unused_tcp_port))
        assert factors(unused_tcp_port, "91") == "91 = 7 * 13"


def test_each_service_of_the_compose_file_starts_again_and_knows_redis(services):
    assert {service["restart"] for service in services.values()} == {"unless-stopped"}
    for name in ("web", "worker"):
        assert services[name]["environment"] == {"REDIS_URL": "redis://redis:6379/0"}
        assert services[name]["depends_on"] == ["redis"]
