"""The project's way to start, alone in a folder: its bootstrap, and a wheel to install.

The wheel stands in for Django, Channels and Daphne. pip, venv, hashes and processes are real, and
no network is needed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from django.conf import settings

TEST_TIMEOUT = (
    300  # seconds, only ever spent by a test that fails; a new .venv takes some on its own
)

# Says from where it was run and with what, in place of Django's commands.
DJANGO = """\
import sys
import stand_in

def execute_from_command_line(argv):
    print(sys.prefix, *argv[1:], "with", stand_in.version)
    sys.exit(3 if "fail" in argv else 0)
"""


class BareProject:
    """A folder with what a fresh clone has for a start."""

    def __init__(self, root: Path):
        self.root = root
        self.venv = root / ".venv"
        self.python = self.venv / (
            "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
        )
        self.stamp = self.venv / "requirements.sha256"
        self.requirements = root / "requirements.txt"
        self.env = {"PIP_CONFIG_FILE": "", "PIP_RETRIES": "1", "PATH": "/usr/bin:/bin"}

    @classmethod
    def fresh(cls, root: Path) -> "BareProject":
        project = cls(root)
        (root / "lessons" / "core").mkdir(parents=True)
        packages = ("lessons/__init__.py", "lessons/core/__init__.py")
        for name in ("manage.py", *packages, "lessons/core/bootstrap.py"):
            shutil.copy(settings.BASE_DIR / name, root / name)
        project.require(make_wheel(root, version=1))
        return project

    def copied_to(self, root: Path) -> "BareProject":
        shutil.copytree(self.root, root, symlinks=True, copy_function=_copy)
        return BareProject(root)

    def require(self, wheel: Path, digest: str | None = None) -> None:
        """Make `wheel` all that requirements.txt lists."""
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        name, version, _ = wheel.name.split("-", 2)
        self.requirements.write_text(
            f"--no-index\n--find-links {wheel.parent.name}\n"
            f"{name}=={version} --hash=sha256:{digest}\n"
        )

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
            timeout=TEST_TIMEOUT,
        )

    def start(self, *arguments: str) -> subprocess.Popen:
        """In a process group of its own, as a terminal gives it."""
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
        """Where .venv keeps what was installed."""
        return next(self.venv.rglob("site-packages"))

    def take_out_packages(self) -> None:
        """Leave .venv as it is while pip has yet to put anything into it."""
        self.stamp.unlink()
        for name in ("django", "channels", "daphne", "stand_in-*"):
            shutil.rmtree(next(self.packages.glob(name)))


def _copy(source: str, target: str) -> None:
    """pip itself is nine tenths of .venv and changes nowhere: a second name for it will do."""
    (os.link if "pip" in Path(source).parts else shutil.copy2)(source, target)


def make_wheel(root: Path, version: int) -> Path:
    folder = root / "wheels"
    folder.mkdir(exist_ok=True)
    wheel = folder / f"stand_in-{version}-py3-none-any.whl"
    info = f"stand_in-{version}.dist-info"
    files = {
        "stand_in.py": f"version = {version}\n",
        "django/__init__.py": "",
        "django/core/__init__.py": "",
        "django/core/management.py": DJANGO,
        "channels/__init__.py": "",
        "daphne/__init__.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: stand-in\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return wheel
