"""The programs that pip cannot install: how to find each, and how to install it.

The doctor uses this module before anything is installed. So it has the standard library only, and
the syntax of Python 3.6.
"""

import glob
import os
import shutil
from typing import Dict, NamedTuple, Optional, Tuple

# The commands that install a package. The first that this machine has is used.
_INSTALL = {
    "apt-get": "apt-get install",
    "dnf": "dnf install",
    "pacman": "pacman -S",
    "brew": "brew install",
}


class Program(NamedTuple):
    """A program. `packages` has the name of its package by manager, such as apt-get."""

    name: str
    commands: Tuple[str, ...]  # names, or patterns of paths; the first that exists is used
    packages: Dict[str, str]
    homepage: str  # where other systems find it
    cure: str = "Install it"

    def find(self) -> Optional[str]:
        """The path of the program on this machine."""
        for command in self.commands:
            for path in glob.glob(command) if os.path.isabs(command) else [command]:
                if shutil.which(path):
                    return shutil.which(path)
        return None

    def how_to_install(self) -> str:
        """The command, or where to find the program."""
        return install_command(self.packages) or "see " + self.homepage

    def missing(self) -> str:
        """What is missing, and the cure, in one line that ends with the command."""
        return f"There is no {self.name} on this machine. {self.cure}: {self.how_to_install()}"


def install_command(packages: Dict[str, str]) -> Optional[str]:
    """The command for one of these packages, by manager; None without a known manager."""
    for manager, command in _INSTALL.items():
        if manager in packages and shutil.which(manager):
            is_root = manager == "brew" or (hasattr(os, "geteuid") and os.geteuid() == 0)
            return f"{'' if is_root else 'sudo '}{command} {packages[manager]}"
    return None


def venv_module(version) -> str:
    """How to install Python's modules venv and ensurepip, which Debian has in another package."""
    command = install_command({"apt-get": f"python3.{version[1]}-venv"})
    return command or "install Python from https://www.python.org"


REDIS = Program(
    "Redis server",
    ("redis-server", "valkey-server"),
    {"apt-get": "redis-server", "dnf": "valkey", "pacman": "valkey", "brew": "redis"},
    "https://redis.io/downloads",
    cure="Set REDIS_URL, or install one",
)
BUBBLEWRAP = Program(
    "bubblewrap",
    ("bwrap",),
    {"apt-get": "bubblewrap", "dnf": "bubblewrap", "pacman": "bubblewrap"},
    "https://github.com/containers/bubblewrap (Linux only)",
)
