"""The programs that pip cannot install: how to find each, what needs it, how to install it.

The doctor uses this module before anything is installed. So it has the standard library only, and
the syntax of Python 3.6.
"""

import glob
import os
import shutil
from typing import Dict, NamedTuple, Optional, Tuple

# The commands that install a package. The first that this machine has is used.
APT, DNF, PACMAN, BREW = "apt-get", "dnf", "pacman", "brew"
_MANAGERS = (
    (APT, "apt-get install"),
    (DNF, "dnf install"),
    (PACMAN, "pacman -S"),
    (BREW, "brew install"),
)


class Program(NamedTuple):
    """A program. `packages` has its package by manager; of several, the first that exists."""

    name: str
    commands: Tuple[str, ...]  # names, or patterns of paths; the first that exists is used
    needed_for: str
    packages: Dict[str, Tuple[str, ...]]
    homepage: str  # where other systems find it
    cure: str = "Install it"

    def find(self) -> Optional[str]:
        """The path of the program on this machine."""
        for command in self.commands:
            for path in glob.glob(command) if os.path.isabs(command) else [command]:
                if shutil.which(path):
                    return shutil.which(path)
        return None

    def install_command(self) -> Optional[str]:
        """What to type to install it; None where no package manager is known to have it."""
        return install_command(self.packages)

    def how_to_install(self) -> str:
        """The command, or where to find the program."""
        return self.install_command() or "see " + self.homepage

    def missing(self) -> str:
        """What is missing, and the cure, in one line that ends with the command."""
        return f"There is no {self.name} on this machine. {self.cure}: {self.how_to_install()}"


def install_command(packages) -> Optional[str]:
    """The command for one of these packages: {manager: (package, another if that is unknown)}."""
    for manager, command in _MANAGERS:
        if manager in packages and shutil.which(manager):
            as_root = "" if manager == BREW or is_root() else "sudo "
            return " || ".join(f"{as_root}{command} {name}" for name in packages[manager])
    return None


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _named(package: str, others: Dict[str, Tuple[str, ...]]) -> Dict[str, Tuple[str, ...]]:
    """The same package for all managers, except for those in `others`."""
    packages = {manager: (package,) for manager, _ in _MANAGERS}
    packages.update(others)
    return packages


REDIS = Program(
    "Redis server",
    ("redis-server", "valkey-server"),
    "`cluster`, lesson 14 on two servers, and the tests of channels_redis",
    _named("redis", {APT: ("redis-server",), DNF: ("redis", "valkey"), PACMAN: ("valkey",)}),
    "https://redis.io/downloads",
    cure="Set REDIS_URL, or install one",
)
# chromium-headless-shell is the same engine without windows. It uses two thirds of the processor.
CHROMIUM = Program(
    "Chromium",
    (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
    "the tests in tests/real/browser",
    _named(
        "chromium",
        {APT: ("chromium-headless-shell", "chromium"), BREW: ("--cask google-chrome",)},
    ),
    "https://www.google.com/chrome",
)
NODE = Program(
    "Node",
    ("node", "nodejs"),
    "the tests of the page's scripts in tests/real/page/js",
    _named("nodejs", {BREW: ("node",)}),
    "https://nodejs.org",
)
NGINX = Program(
    "nginx",
    ("nginx", "/usr/sbin/nginx"),
    "the tests of pages behind a proxy, with the configuration in NOTES.md",
    _named("nginx", {APT: ("nginx-light",)}),
    "https://nginx.org",
)
POSTGRESQL = Program(
    "PostgreSQL",
    ("initdb", "/usr/lib/postgresql/*/bin/initdb"),
    "the tests with a PostgreSQL server; DATABASE_URL may lead to any other",
    _named("postgresql", {DNF: ("postgresql-server",)}),
    "https://www.postgresql.org",
)
BUBBLEWRAP = Program(
    "bubblewrap",
    ("bwrap",),
    "judging submissions of people that you do not know: see lessons/guides/grading.md",
    {APT: ("bubblewrap",), DNF: ("bubblewrap",), PACMAN: ("bubblewrap",)},
    "https://github.com/containers/bubblewrap (Linux only)",
)


def venv_module(version) -> str:
    """How to install Python's modules venv and ensurepip, which Debian has in another package."""
    command = install_command({APT: (f"python3.{version[1]}-venv",)})
    return command or "install Python from https://www.python.org"
