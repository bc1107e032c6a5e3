"""The programs that pip cannot install: how to find each, and how to install it."""

import shutil
from typing import NamedTuple


class Program(NamedTuple):
    """A program. `install` says with which commands, or where to find it."""

    name: str
    commands: tuple[str, ...]  # names or paths; the first that exists is used
    install: str
    cure: str = "Install it"

    def find(self) -> str | None:
        """The path of the program on this machine."""
        return next(filter(None, map(shutil.which, self.commands)), None)

    def missing(self) -> str:
        """What is missing, and the cure, in one line that ends with the commands."""
        return f"There is no {self.name} on this machine. {self.cure}: {self.install}"


REDIS = Program(
    "Redis server",
    ("redis-server", "valkey-server"),
    "sudo apt-get install redis-server, or brew install redis",
    cure="Set REDIS_URL, or install one",
)
BUBBLEWRAP = Program(
    "bubblewrap",
    ("bwrap",),
    "sudo apt-get install bubblewrap, or the package bubblewrap of another Linux",
)
