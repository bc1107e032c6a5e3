"""Replaces functions of Python, Django and asyncio as long as something needs the replacements.

Each module of the simulated world has its own table. A process that plays conversations installs
every table once, see world.py. In other processes a table is in force only within installed().
A replacement calls the usual function wherever no simulated loop is concerned.
"""

from contextlib import contextmanager

_NOTHING = object()


class Patches:
    """A table with rows (owner, name, replacement); an owner is a class or a module."""

    def __init__(self, *rows: tuple):
        self._rows = rows
        self._before: list = []  # what the owners had, while the table is installed
        self._users = 0

    def install(self) -> None:
        """Replace the functions, also those that a student's code has replaced since."""
        if self._users == 0:
            # A class may inherit the method.
            self._before = [vars(owner).get(name, _NOTHING) for owner, name, _ in self._rows]
        self._users += 1
        for owner, name, replacement in self._rows:
            if vars(owner).get(name) is not replacement:
                setattr(owner, name, replacement)

    def uninstall(self) -> None:
        """Restore the functions if no other user needs the replacements."""
        self._users -= 1
        if self._users == 0:
            for (owner, name, _), usual in zip(self._rows, self._before, strict=True):
                if usual is _NOTHING:
                    delattr(owner, name)
                else:
                    setattr(owner, name, usual)

    @contextmanager
    def installed(self):
        self.install()
        try:
            yield
        finally:
            self.uninstall()
