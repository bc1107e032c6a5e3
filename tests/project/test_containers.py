"""The Dockerfile, compose.yaml and devcontainer.json fit the project and each other.

The command of the image runs in a sandbox that has the image's limits: another user, and a
read-only file system except for the volumes and the folder for temporary files.
"""

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import get_commands

from lessons.workshop.measure.processes import project_copy
from lessons.workshop.setup.network_access import Mode
from tests.support.ci_files import load_yaml
from tests.support.modes import KEY, NAMES

CI = settings.BASE_DIR / ".ci"
DOCKERFILE = CI / "Dockerfile"
COMPOSE = CI / "compose.yaml"
DEVCONTAINER = settings.BASE_DIR / ".devcontainer" / "devcontainer.json"
HEALTHCHECK = [sys.executable, CI / "healthcheck.py"]
TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long
SANDBOX = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--die-with-parent"]
SANDBOX += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-pid"]


def instructions(name):
    """What follows each instruction of this name in the Dockerfile."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.M).replace("\\\n", "")
    return re.findall(rf"^{name} +(.*)$", lines, re.M)


def command_of(name):
    """The words of the one instruction, without its options."""
    [text] = instructions(name)
    return json.loads(re.search(r"\[.*\]", text)[0])


# The image


def test_each_file_that_the_image_copies_exists():
    copied = [shlex.split(copy) for copy in instructions("COPY") if "--from" not in copy]
    sources = [source for *sources, _ in copied for source in sources]
    assert {"requirements.txt", ".ci/postgres.txt", "."} == set(sources)
    for source in sources:
        assert (settings.BASE_DIR / source).exists(), source


def test_the_image_installs_only_wheels_with_known_hashes():
    [install] = [run for run in instructions("RUN") if "pip install" in run]
    assert {"--require-hashes", "--no-cache-dir"} <= set(install.split())
    assert "--only-binary :all:" in install
    assert re.findall(r"-r (\S+)", install) == ["requirements.txt", "postgres.txt"]


def test_the_image_runs_as_a_user_without_rights_who_can_write_in_the_volumes_only():
    [user] = instructions("USER")
    [setup] = [run for run in instructions("RUN") if "useradd" in run]
    assert f"useradd --create-home {user} " in setup
    assert f"--owner {user} --group {user} work .workshop " in setup
    assert command_of("VOLUME") == ["/workshop/work", "/workshop/.workshop"]
    last_run = DOCKERFILE.read_text().rindex("\nRUN ")
    assert last_run < DOCKERFILE.read_text().index("\nUSER ")


def test_the_image_contains_nothing_of_the_student():
    ignored = (settings.BASE_DIR / ".dockerignore").read_text().splitlines()
    assert {"work", ".workshop", ".venv", ".git"} <= set(ignored)


@pytest.fixture(scope="module")
def container():
    """The command of the image in a sandbox. It has printed `lines`, and listens on `port`."""
    if not shutil.which("bwrap") or subprocess.run([*SANDBOX, "true"], capture_output=True).stderr:
        pytest.skip("This machine has no bubblewrap, or allows it no user namespace.")
    with project_copy() as project:
        writable = [project.folder / name for name in ("work", ".workshop", "tmp")]
        for folder in writable:
            folder.mkdir(exist_ok=True)
        binds = [word for folder in writable for word in ("--bind", folder, folder)]
        python, *arguments = command_of("CMD")
        assert python == "python3"
        bare = {name: value for name, value in project.environment.items() if name not in NAMES}
        process = subprocess.Popen(
            [*SANDBOX, *binds, "--chdir", project.folder, sys.executable, *arguments, "--port=0"],
            env=bare | image_environment() | {"TMPDIR": str(writable[2])},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            lines = []
            for line in process.stdout:
                lines.append(line.rstrip())
                if line.startswith("Workshop ready at "):
                    break
            port = int(re.search(r":(\d+)/", lines[-1])[1])
            yield SimpleNamespace(folder=project.folder, lines=lines, port=port)
        finally:
            process.terminate()
            process.communicate(timeout=TEST_TIMEOUT)


def image_environment():
    pairs = [pair.split("=", 1) for env in instructions("ENV") for pair in env.split()]
    return {name: value for name, value in pairs if name != "PATH"}


def test_the_command_prints_the_address_with_the_token_and_writes_in_the_volumes_only(container):
    assert re.fullmatch(r"Workshop ready at http://localhost:\d+/\?token=\w+", container.lines[-1])
    assert (container.folder / "work" / "03_stop.py").exists()
    assert (container.folder / ".workshop" / "shared.sqlite3").exists()
    assert not (container.folder / "db.sqlite3").exists()


def test_the_health_check_is_green_with_a_server_and_red_without(container, unused_tcp_port):
    assert command_of("HEALTHCHECK")[1] == ".ci/healthcheck.py"
    assert subprocess.run([*HEALTHCHECK, str(container.port)], timeout=TEST_TIMEOUT).returncode == 0
    assert (
        subprocess.run([*HEALTHCHECK, str(unused_tcp_port)], timeout=TEST_TIMEOUT).returncode == 1
    )


# The services


@pytest.fixture
def services():
    return load_yaml(COMPOSE)["services"]


def test_only_this_machine_reaches_the_services(services):
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8000:8000"]
    assert instructions("EXPOSE") == ["8000"]


def test_the_workshop_waits_for_healthy_services_and_keeps_its_volumes(services):
    workshop, *others = services.values()
    assert set(workshop["depends_on"]) == set(services) - {"workshop"}
    for condition in workshop["depends_on"].values():
        assert condition == {"condition": "service_healthy"}
    assert all("healthcheck" in service for service in others)
    mounted = [volume.partition(":") for volume in workshop["volumes"]]
    assert [path for _, _, path in mounted] == command_of("VOLUME")
    assert {name for name, _, _ in mounted} <= set(load_yaml(COMPOSE)["volumes"])
    build = (COMPOSE.parent / workshop["build"]["context"]).resolve()
    assert build == settings.BASE_DIR
    assert build / workshop["build"]["dockerfile"] == DOCKERFILE


def test_the_settings_read_the_variables_of_the_services(services, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    environment = image_environment() | services["workshop"]["environment"]
    for name, value in (environment | {"DJANGO_SECRET_KEY": KEY}).items():
        monkeypatch.setenv(name, value)
    names = runpy.run_path(str(settings.BASE_DIR / "lessons" / "settings.py"))
    assert names["MODE"] == Mode.SHARED
    assert names["CACHES"]["default"]["LOCATION"] == "redis://redis:6379/0"
    database = names["DATABASES"]["default"]
    assert database["HOST"] in services
    postgres = services[database["HOST"]]["environment"]
    assert database["USER"] == database["NAME"] == postgres["POSTGRES_USER"]
    assert database["PASSWORD"] == postgres["POSTGRES_PASSWORD"]


# The development container


def test_the_development_container_installs_and_starts_a_shared_workshop():
    text = re.sub(r"^ *//.*$", "", DEVCONTAINER.read_text(), flags=re.M)
    container = json.loads(text)
    assert container["remoteUser"] != "root"
    assert container["forwardPorts"] == [8000]
    assert list(container["portsAttributes"]) == ["8000"]
    commands = [container["postCreateCommand"], *container["postAttachCommand"].values()]
    for command in commands:
        python, manage, name, *_ = command.split()
        assert (python, manage) == ("python3", "manage.py")
        assert name in get_commands()
    assert commands[-1].endswith("workshop --share")
