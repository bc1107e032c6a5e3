"""Replaces functions of Python, Django and asyncio as long as something needs the replacements.

Each module of the simulated world has its own table of rows (owner, name, replacement); an owner is
a class or a module. A process that plays conversations installs every table once, see world.py. In
other processes a table is in force only within installed(). A replacement calls the usual function
wherever no simulated loop is concerned.
"""

from contextlib import contextmanager

_NOTHING = object()  # a class may inherit the function


def install(table) -> None:
    """Replace the functions, also those that a student's code has replaced since."""
    for owner, name, replacement in table:
        if vars(owner).get(name) is not replacement:
            setattr(owner, name, replacement)


@contextmanager
def installed(table):
    """Within it, the functions are replaced."""
    found = [(owner, name, vars(owner).get(name, _NOTHING), new) for owner, name, new in table]
    install(table)
    try:
        yield
    finally:
        for owner, name, before, new in found:
            if before is _NOTHING:
                delattr(owner, name)
            elif before is not new:
                setattr(owner, name, before)
