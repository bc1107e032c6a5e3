"""The engine's wheel in an empty environment, with a project that knows nothing of this one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lessons.workshop import engine
from tests.support.programs.postgres import Postgres
from tests.support.required_programs import skip_or_fail

PROJECT = Path(__file__).with_name("project")
PACKAGES = ["channels[daphne]>=4.3", "channels-redis", "psycopg[binary]"]
RED = ["test_nothing_is_sold_twice", "test_a_lost_connection_leaves_its_group", "test_a_refund"]
INSTALL_TIMEOUT, TEST_TIMEOUT = 300, 120  # seconds


def run(*command, timeout=INSTALL_TIMEOUT, **environment) -> subprocess.CompletedProcess:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [*map(str, command)],
        cwd=PROJECT,
        env=kept | {"PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.fixture(scope="session")
def python(tmp_path_factory) -> Path:
    """The Python of an environment with the wheel, Channels and pytest, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    environment = folder / "environment"
    assert run(sys.executable, "-m", "venv", environment).returncode == 0
    python = environment / "bin" / "python"
    source = Path(engine.__file__).parent
    built = run(python, "-m", "pip", "wheel", "--no-deps", "-w", folder, source)
    if built.returncode:
        skip_or_fail(f"The wheel cannot be built: {built.stderr[-300:]}")
    (wheel,) = folder.glob("*.whl")
    installed = run(python, "-m", "pip", "install", f"{wheel}[database]", *PACKAGES)
    if installed.returncode:
        skip_or_fail(f"Packages cannot be installed: {installed.stderr[-300:]}")
    return python


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def database(request):
    """The variables of the environment that choose the project's database."""
    if request.param == "SQLite":
        yield {}
        return
    with Postgres() as server:
        yield {"POSTGRES": str(server.folder)}


@pytest.fixture(scope="module")
def output(python, database) -> str:
    """What pytest prints in the project."""
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--create-db"]
    command = [python, "-m", "pytest", *options, "checks.py"]
    return run(*command, timeout=TEST_TIMEOUT, **database).stdout


def test_plays_the_project_with_its_middleware_routing_and_models(output):
    failed = re.findall(r"FAILED checks.py::(\w+)", output)
    assert (failed, "4 passed" in output) == (RED, True), output


def test_names_the_line_of_any_module(output):
    assert re.search(r"shop/services.py:\d+, in check, on websocket.receive", output)
    assert "A channel stayed in its group after the connection had ended" in output
    assert re.search(r"shop/consumers.py:\d+, in Counter.connect", output)


def test_shortens_the_conversation_in_which_two_clients_buy_the_last_piece(output):
    steps = r"connect /ws/counter/ \?shop=corner as=ada \| 2 connect .* \| (2 )?text \S+ \| & .*"
    assert re.search(f"shortest conversation of --seed .*\n{steps}", output)


def test_the_page_of_events_has_its_diagram(python):
    code = "from pytest_channels.recording.page import _files; print(*sorted(_files()))"
    names = run(python, "-c", code).stdout.split()
    assert {"page.html", "diagram/diagram.js", "common/dom.js", "common/colours.css"} <= {*names}
