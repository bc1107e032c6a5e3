"""The project's code paths of Windows and macOS, run here; see tests/support/other_system.

The project's modules see another system: no fork, no Unix sockets, no process groups, no limits, a
console in cp1252, files with CRLF. Each test starts real processes.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import Request, urlopen

import psutil
import pytest
from websockets.sync.client import connect

from lessons.workshop.measure.processes import project_copy
from lessons.workshop.terminal.cluster import wait_for_redis
from tests.support.exercise_files import save
from tests.support.programs.bare_project import BareProject
from tests.support.programs.running_program import TEST_TIMEOUT

FOLDER = Path(__file__).parents[1] / "support" / "other_system"
TEXTS = {".py", ".md", ".toml", ".txt", ".html", ".js", ".css", ".sha256"}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="shows Windows to a Unix system")


def environment_of(system: str) -> dict[str, str]:
    """The environment of a program that is to see this system, with a console that has no signs."""
    changes = {
        "OTHER_SYSTEM": system,
        "PYTHONPATH": str(FOLDER),
        "PYTHONUNBUFFERED": "1",
        # What open() uses by default is not UTF-8, and the console has another encoding.
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "LC_ALL": "C",
        "PYTHONIOENCODING": "cp1252",
    }
    return os.environ | changes


class OtherSystem:
    """A clone of the project whose code sees another system."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.environment = environment_of(name)

    def run(self, *arguments) -> subprocess.CompletedProcess:
        """Run `python ARGUMENTS` to its end."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder, env=self.environment, capture_output=True, encoding="cp1252",
        )  # fmt: skip

    @contextmanager
    def running(self, *arguments, **options):
        """A program that `python ARGUMENTS` starts; it is killed with all that it has started."""
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder, env=self.environment | options, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="cp1252",
        )  # fmt: skip
        timer = threading.Timer(TEST_TIMEOUT * 2, process.kill)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            with suppress(psutil.NoSuchProcess):
                for one in psutil.Process(process.pid).children(recursive=True):
                    one.kill()
            process.kill()
            process.wait()
            process.stdout.close()

    def exercise(self, name: str) -> tuple[Path, str]:
        """The student's file of the lesson in that folder, and its solution."""
        solution = self.folder / "lessons" / name / "solution.py"
        return self.folder / "work" / f"{name}.py", solution.read_text(encoding="utf-8")


def read_until(process, words: str) -> str:
    """What the program prints, up to the line with these words."""
    printed = ""
    for line in process.stdout:
        printed += line
        if words in line:
            return printed
    raise AssertionError(f"it never printed {words!r}:\n{printed}")


@pytest.fixture(scope="module", params=["windows", "macos"])
def system(request, tmp_path_factory):
    with project_copy() as copy:
        if request.param == "windows":
            use_crlf(copy.folder)
        yield OtherSystem(request.param, copy.folder)


def use_crlf(folder):
    """Git on Windows writes such line ends."""
    for file in folder.rglob("*"):
        if file.suffix in TEXTS:
            content = file.read_bytes()
            if b"\0" not in content and b"\r\n" not in content:
                file.write_bytes(content.replace(b"\n", b"\r\n"))


SEEN = """
import json, os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "lessons.settings"
from lessons.workshop.engine.process import child_process
from lessons.workshop.course import lesson_index
seen = child_process.os
print(json.dumps([seen.name, child_process.sys.platform, hasattr(seen, "killpg"),
                  child_process.clean_start_method(), lesson_index.MANAGE, os.name]))
"""


def test_the_project_sees_the_other_system_and_libraries_see_this_one(system):
    assert (
        json.loads(system.run("-c", SEEN).stdout)
        == {
            "windows": ["nt", "win32", False, "spawn", "py manage.py", os.name],
            "macos": [os.name, "darwin", True, "forkserver", "python3 manage.py", os.name],
        }[system.name]
    )


CURES = """
import json
from lessons.workshop.terminal.doctor import commands
print(json.dumps([commands.REINSTALL, commands.move_away("my work"),
                  commands.set_variable("NO_PROXY", "localhost"),
                  commands.set_variable("NO_PROXY", "localhost", keeps=True),
                  commands.unset_variable("REDIS_URL")]))
"""


def test_the_doctors_cures_are_commands_of_the_systems_shell(system):
    assert (
        json.loads(system.run("-c", CURES).stdout)
        == {
            "windows": [
                "rmdir /s /q .venv & py manage.py lesson",
                'move "my work" "my work.old"',
                "set NO_PROXY=localhost",
                "set NO_PROXY=%NO_PROXY%,localhost",
                "set REDIS_URL=",
            ],
            "macos": [
                "rm -rf .venv && python3 manage.py lesson",
                "mv 'my work' 'my work.old'",
                'export NO_PROXY="localhost"',
                'export NO_PROXY="$NO_PROXY,localhost"',
                "unset REDIS_URL",
            ],
        }[system.name]
    )


def test_check_ends_with_the_code_of_the_verdict_and_prints_what_the_console_has(system):
    folder = "lessons/02_frames"
    green = system.run("manage.py", "lesson", "check", "2", "--target", f"{folder}/solution.py")
    assert (green.returncode, green.stderr) == (0, "")
    assert "  + A text frame comes back as text" in green.stdout
    red = system.run("manage.py", "lesson", "check", "2", "--target", f"{folder}/exercise.py")
    assert (red.returncode, red.stderr) == (1, "")
    assert '! websocket.send  text: "2 three"' in red.stdout


@pytest.mark.parametrize(
    "command", ["", "show frames", "teach", "teach 3", "mistakes 2", "hint 1", "check 5 --json"]
)
def test_the_terminal_shows(system, command):
    done = system.run("manage.py", "lesson", *command.split())
    assert done.returncode == (1 if "check" in command else 0), done.stderr
    assert "Traceback" not in done.stderr


def test_watch_prints_a_verdict_at_each_save(system):
    file, solution = system.exercise("02_frames")
    with system.running("manage.py", "lesson", "watch", "2") as watch:
        assert "red  Lesson 2 frames" in read_until(watch, "Watching ")
        save(file, solution)
        assert "green  Lesson 2 frames" in read_until(watch, "Watching ")


def test_the_workshop_serves_a_page_judges_a_save_and_plays_the_exercise(system):
    file, solution = system.exercise("03_stop")
    with system.running("manage.py", "workshop", "--port", "0", "--no-reload") as workshop:
        ready = read_until(workshop, "Workshop ready at ")
        page = Page(ready.split()[-1], "03-stop")
        with page.socket("/ws/feed/exercise/03-stop/?version=0") as news:
            save(file, solution)
            while 'data-state="green"' not in page.receive(news).get("panel", ""):
                pass
        with page.socket(page.feed) as feed:
            feed.send(json.dumps({"play": {"lesson": "03-stop", "target": "exercise"}}))
            while page.receive(feed).get("played", {}).get("state") != "ready":
                pass
            with page.socket(page.exercise("/ws/sync/stop/")) as client:
                client.send("hello")
                assert client.recv(timeout=TEST_TIMEOUT)


class Page:
    """A lesson's page of the workshop at `address`."""

    def __init__(self, address, key):
        with urlopen(Request(f"{address}lessons/{key}/"), timeout=TEST_TIMEOUT) as response:
            text = response.read().decode()
            cookies = response.headers.get_all("Set-Cookie", [])
        self.cookie = "; ".join(one.partition(";")[0] for one in cookies)
        self.key = key
        self.host = address.removeprefix("http://").rstrip("/")
        self.watched = re.search(r'data-watched="(.+?)"', text)[1]
        self.feed = self.watched.replace("/watched/", "/ws/feed/") + "/"

    def exercise(self, path):
        return f"{self.watched}/client=1&lesson={self.key}&target=exercise{path}"

    def socket(self, path):
        origin, headers = f"http://{self.host}", {"Cookie": self.cookie}
        return connect(
            f"ws://{self.host}{path}", additional_headers=headers, origin=origin, max_size=None
        )

    def receive(self, socket):
        return json.loads(socket.recv(timeout=TEST_TIMEOUT))


def test_the_tests_of_a_lesson_run(system):
    done = system.run("manage.py", "test", "--lesson", "1", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)


@pytest.fixture(scope="module")
def redis_over_tcp(redis_binaries):
    """The URL of a Redis server: Windows has no Unix sockets."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [redis_binaries[0], "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    wait_for_redis(url, TEST_TIMEOUT)
    yield url
    process.terminate()
    process.wait()


def test_the_cluster_serves_until_ctrl_c(system, redis_over_tcp):
    arguments = ("manage.py", "cluster", "--port", "0")
    with system.running(*arguments, REDIS_URL=redis_over_tcp) as cluster:
        for _ in range(2):
            read_until(cluster, "Workshop ready at ")
        started = psutil.Process(cluster.pid).children(recursive=True)
        cluster.send_signal(signal.SIGINT)
        assert cluster.wait(TEST_TIMEOUT) == 128 + signal.SIGINT
        assert psutil.wait_procs(started, TEST_TIMEOUT)[1] == []


BOOTSTRAP = """
import runpy, sys, sitecustomize
sys.argv[1:] = {arguments}
sys.argv[0] = "manage.py"
runpy.run_path("manage.py", run_name="__main__")
"""


def test_windows_installs_into_its_own_folders_and_continues_there(tmp_path):
    project = BareProject.fresh(tmp_path)
    environment = project.env | environment_of("windows")

    def run(*arguments):
        program = BOOTSTRAP.format(arguments=list(arguments))
        return subprocess.run(
            [sys._base_executable, "-S", "-c", program],
            cwd=project.root, env=environment, capture_output=True, text=True,
        )  # fmt: skip

    first = run("workshop", "--port", "8001")
    assert first.stdout == f"{project.venv} workshop --port 8001 with 1\n", first.stderr
    again = run("fail")
    assert (again.returncode, again.stderr) == (3, "")
    assert (project.venv / "Scripts" / "python.exe").exists()
