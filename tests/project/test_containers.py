"""The Dockerfile, compose.yaml and devcontainer.json fit the project and each other."""

import json
import re
import shlex

from django.conf import settings
from django.core.management import get_commands

from tests.support.required_programs import skip_or_fail

ROOT = settings.BASE_DIR
DOCKERFILE = (ROOT / ".ci" / "Dockerfile").read_text()


def instructions(name):
    """What follows each instruction of this name in the Dockerfile."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.M).replace("\\\n", "")
    return re.findall(rf"^{name} +(.*)$", lines, re.M)


def test_the_image_copies_files_that_exist_and_nothing_of_the_student():
    copied = [shlex.split(copy) for copy in instructions("COPY") if "--from" not in copy]
    sources = {source for *sources, _ in copied for source in sources}
    assert sources == {"requirements.txt", ".ci/postgres.txt", "."}
    assert all((ROOT / source).exists() for source in sources)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"work", ".workshop", ".venv", ".git"} <= set(ignored)


def test_the_image_installs_only_wheels_with_known_hashes_and_runs_without_rights():
    [install] = [run for run in instructions("RUN") if "pip install" in run]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install
    [user] = instructions("USER")
    [setup] = [run for run in instructions("RUN") if "useradd" in run]
    assert f"--owner {user} --group {user} work .workshop " in setup
    assert DOCKERFILE.rindex("\nRUN ") < DOCKERFILE.index("\nUSER ")


def test_only_this_machine_reaches_the_services_and_the_workshop_waits_for_them():
    try:
        import yaml
    except ImportError:
        skip_or_fail("There is no PyYAML: pip install --require-hashes -r .ci/extras.txt")
    services = yaml.safe_load((ROOT / ".ci" / "compose.yaml").read_text())["services"]
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8000:8000"]
    workshop = services.pop("workshop")
    assert workshop["depends_on"] == {name: {"condition": "service_healthy"} for name in services}
    assert all("healthcheck" in service for service in services.values())


def test_the_development_container_starts_a_shared_workshop_as_a_user_without_rights():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    container = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.M))
    commands = [container["postCreateCommand"], *container["postAttachCommand"].values()]
    assert container["remoteUser"] != "root"
    assert all(command.split()[2] in get_commands() for command in commands)
    assert commands[-1].endswith("workshop --share")
