"""An environment with the engine's wheel, and a project that knows nothing of this repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lessons.workshop import engine
from tests.support.required_programs import skip_or_fail

PROJECT = Path(__file__).with_name("project")
PACKAGES = ["channels[daphne]>=4.3", "channels-redis", "psycopg[binary]"]
TIMEOUT = 300  # seconds


def project_environment(**variables) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1", **variables}


def run(*command, **environment) -> subprocess.CompletedProcess:
    """Run the command in the folder of the project."""
    return subprocess.run(
        [*map(str, command)],
        cwd=PROJECT,
        env=project_environment(**environment),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
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
