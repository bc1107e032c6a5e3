"""Commands to paste, in the shell of this system: sh, or on Windows the Command Prompt.

The doctor uses this module before anything is installed. So it has the standard library only, and
the syntax of Python 3.6.
"""

import os
import shlex

IS_WINDOWS = os.name == "nt"
MANAGE = "py manage.py" if IS_WINDOWS else "python3 manage.py"
REINSTALL = ("rmdir /s /q .venv & " if IS_WINDOWS else "rm -rf .venv && ") + MANAGE + " lesson"


def move_away(path: str) -> str:
    """Rename a file or folder, so that another one can take its place."""
    if IS_WINDOWS:
        return f'move "{path}" "{path}.old"'
    return f"mv {shlex.quote(path)} {shlex.quote(path + '.old')}"


def set_variable(name: str, value: str, keeps: bool = False) -> str:
    """Set a variable of the environment. `keeps`: behind its value now, and a comma."""
    if IS_WINDOWS:
        return f"set {name}=%{name}%,{value}" if keeps else f"set {name}={value}"
    return f'export {name}="${name},{value}"' if keeps else f'export {name}="{value}"'


def unset_variable(name: str) -> str:
    return f"set {name}=" if IS_WINDOWS else f"unset {name}"
