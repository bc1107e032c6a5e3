"""A folder with the project's bootstrap and one wheel that it can install.

The wheel replaces Django, Channels and Daphne. pip, venv, hashes and processes are real. No
network is needed.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from django.conf import settings

INSTALL_TIMEOUT = 300  # seconds; a new .venv alone takes some of them

# What runs before anything is installed. Any Python 3 must be able to read these files.
FILES = (
    "manage.py",
    "lessons/__init__.py",
    "lessons/workshop/setup/virtual_environment.py",
)

# Replaces Django's commands. It prints which Python ran it, its arguments and the wheel's version.
DJANGO = """\
import sys
import replacement

def execute_from_command_line(argv):
    print(sys.prefix, *argv[1:], "with", replacement.version)
"""


class BareProject:
    """A folder with the files that a fresh clone needs to start."""

    def __init__(self, root: Path):
        self.root = root
        self.venv = root / ".venv"
        self.stamp = self.venv / "requirements.sha256"
        self.requirements = root / "requirements.txt"
        self.env = {"PIP_CONFIG_FILE": "", "PIP_RETRIES": "1", "PATH": "/usr/bin:/bin"}

    @classmethod
    def fresh(cls, root: Path) -> "BareProject":
        project = cls(root)
        for name in FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(settings.BASE_DIR / name, root / name)
        project.require(make_wheel(root, version=1))
        project.allow("replacement")
        return project

    def copied_to(self, root: Path) -> "BareProject":
        shutil.copytree(self.root, root, symlinks=True)
        return BareProject(root)

    def require(self, wheel: Path, digest: str | None = None) -> None:
        """Write a requirements.txt that lists only this wheel."""
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        name, version, _ = wheel.name.split("-", 2)
        self.requirements.write_text(
            f"--no-index\n--find-links {wheel.parent.name}\n"
            f"{name}=={version} \\\n    --hash=sha256:{digest}\n"
        )

    def allow(self, *dependencies: str) -> None:
        """Write a pyproject.toml with these dependencies."""
        text = f"[project]\ndependencies = {list(dependencies)}\n"
        (self.root / "pyproject.toml").write_text(text)

    def command(self, *arguments: str, python: Path | None = None) -> list[str]:
        """`python3 manage.py ...`, by default with a Python that has nothing installed."""
        bare = [sys._base_executable, "-S"]
        return [*(bare if python is None else [str(python)]), "manage.py", *arguments]

    def run(self, *arguments: str, python: Path | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments, python=python),
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT,
        )

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start the command in its own process group, as a terminal does."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            env=self.env,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def packages(self) -> Path:
        """The folder of .venv with the installed packages."""
        return next(self.venv.rglob("site-packages"))

    def remove_packages(self) -> None:
        """Leave .venv as it is before pip has installed anything."""
        self.stamp.unlink()
        for name in ("django", "channels", "daphne", "replacement-*"):
            shutil.rmtree(next(self.packages.glob(name)))


def make_wheel(root: Path, version: int) -> Path:
    folder = root / "wheels"
    folder.mkdir(exist_ok=True)
    wheel = folder / f"replacement-{version}-py3-none-any.whl"
    info = f"replacement-{version}.dist-info"
    files = {
        "replacement.py": f"version = {version}\n",
        "django/__init__.py": "",
        "django/core/__init__.py": "",
        "django/core/management.py": DJANGO,
        "channels/__init__.py": "",
        "daphne/__init__.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: replacement\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return wheel
