"""A bare Python is enough to start, and each problem is explained in one line."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import packaging
import pytest

from tests.support.programs.bare_project import BareProject, make_wheel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends signals, and takes rights away")


@pytest.fixture(scope="module")
def first_start(tmp_path_factory):
    """A project whose first start was killed, and the result of the second start."""
    project = BareProject.fresh(tmp_path_factory.mktemp("bootstrap") / "started")
    subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", project.venv], check=True)
    return project, project.run("workshop", "--port", "8001")


@pytest.fixture
def started(first_start, tmp_path) -> BareProject:
    """A copy of it that a test may change."""
    return first_start[0].copied_to(tmp_path / "project")


def inside(project, *arguments, version=1):
    """What the fake Django prints from inside .venv."""
    return " ".join([str(project.venv), *arguments, "with", f"{version}\n"])


def assert_one_line(run, *parts):
    assert run.returncode == 2
    line = run.stderr.strip().splitlines()[-1]
    assert "Traceback" not in run.stderr
    for part in parts:
        assert part in line


def test_creates_a_missing_or_incomplete_environment_and_continues_inside_it(first_start):
    project, run = first_start
    assert run.stdout == inside(project, "workshop", "--port", "8001")
    assert run.returncode == 0
    assert "Creating .venv" in run.stderr


def test_the_second_start_needs_no_network(started):
    shutil.rmtree(started.root / "wheels")
    run = started.run("workshop")
    assert (run.stdout, run.stderr) == (inside(started, "workshop"), "")


def test_installs_changed_requirements(started):
    started.require(make_wheel(started.root, version=2))
    run = started.run("workshop")
    assert run.stdout == inside(started, "workshop", version=2)
    assert "requirements.txt has changed." in run.stderr
    assert "Creating .venv" not in run.stderr


def test_continues_an_installation_that_was_stopped(started):
    started.remove_packages()
    started.stamp.write_text("of another requirements.txt")
    with started.start("workshop") as command:
        assert "changed" in command.stderr.readline()
        assert "Installing" in command.stderr.readline()
        os.killpg(command.pid, signal.SIGINT)
        assert command.wait(30) == 130
        said = command.stderr.read()
    assert "Stopped. Start again" in said
    assert "Traceback" not in said
    assert started.run("workshop").stdout == inside(started, "workshop")


def test_waits_while_another_command_installs(started):
    started.stamp.unlink()
    with open(started.root / ".workshop" / "install.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with started.start("workshop") as command:
            assert command.stderr.readline() == "Another command is installing. Waiting for it.\n"
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert command.stdout.read() == inside(started, "workshop")


@pytest.fixture
def other(started, tmp_path):
    """Another environment, with all packages of the project."""
    shutil.copytree(started.venv, tmp_path / "other", symlinks=True)
    [packages] = (tmp_path / "other").rglob("site-packages")
    shutil.copytree(Path(packaging.__file__).parent, packages / "packaging")
    return SimpleNamespace(packages=packages, python=tmp_path / "other/bin/python")


def test_another_environment_with_all_packages_is_used(started, other):
    shutil.rmtree(started.venv)
    run = started.run("workshop", python=other.python)
    assert run.stdout == f"{other.python.parents[1]} workshop with 1\n"
    assert run.stderr == ""


@pytest.mark.parametrize("lacks", ["package", "version"])
def test_venv_is_used_if_the_other_environment_does_not_fit(started, other, lacks):
    if lacks == "package":
        shutil.rmtree(next(other.packages.glob("replacement-*")))
    else:
        started.allow("replacement>=2")
    run = started.run("workshop", python=other.python)
    assert (run.stdout, run.stderr) == (inside(started, "workshop"), "")


def test_reports_a_complete_environment_without_django(started):
    shutil.rmtree(started.packages / "django")
    assert_one_line(started.run("workshop"), "No module named 'django'", "Delete .venv")


def test_reports_a_missing_network(started):
    text = started.requirements.read_text()
    digest = "0" * 64
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # never listens, and keeps the port from other processes
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        required = f"--index-url {index}\nlacking==1 --hash=sha256:{digest}\n"
        started.requirements.write_text(required)
        assert_one_line(started.run("workshop"), "pip has failed", "connect, then start again")
    started.requirements.write_text(text)
    assert started.run("workshop").stdout == inside(started, "workshop")


def test_rejects_a_package_that_is_not_the_locked_one(started):
    started.require(make_wheel(started.root, version=2), digest="0" * 64)
    run = started.run("workshop")
    assert "DO NOT MATCH THE HASHES" in run.stderr
    assert_one_line(run, "pip has failed", "hashes do not match")


def test_reports_a_folder_that_cannot_be_written(tmp_path):
    project = BareProject.fresh(tmp_path / "project")
    project.root.chmod(0o555)
    command = project.command("workshop")
    if os.geteuid() == 0:  # no file mode stops root
        command = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-all", *command]
    project.command = lambda *arguments, python: command
    assert_one_line(project.run(), "Cannot write in", "Permission denied", "start again")
