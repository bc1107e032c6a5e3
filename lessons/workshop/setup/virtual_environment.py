"""Creates .venv from requirements.txt and continues inside it: a bare Python is enough to start.

It uses the standard library and the syntax of Python 3.6, because it reports that a Python is too
old. Another environment is used instead of .venv if it has all that the project needs.
"""

import errno
import hashlib
import importlib
import importlib.util
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

MIN_PYTHON = (3, 11)
PROJECT = Path(__file__).resolve().parents[3]
REQUIREMENTS = PROJECT / "requirements.txt"
VENV = PROJECT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "requirements.sha256"  # written last: it marks a complete installation
STATE = PROJECT / ".workshop"

# Exit codes. `lesson check` uses 1 for a red exercise, a shell reports Ctrl-C as 130.
WRONG_SETUP, INTERRUPTED = 2, 130


class CannotStart(Exception):
    """The user must repair something; the message says in one line how."""


def require_packages():
    """Raise ImportError if this Python cannot run the project.

    The Python in .venv has what install() has installed. Any other must have each package that
    requirements.txt locks. The versions of the dependencies must be those that pyproject.toml
    allows, because an environment of nox has another Django.
    """
    if is_inside():
        for name in ("django", "channels", "daphne"):
            importlib.import_module(name)
        return
    from importlib.metadata import version

    import tomllib
    from packaging.requirements import Requirement

    direct = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    for line in locked_names() + direct["dependencies"]:
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate():
            continue
        found = version(wanted.name)  # raises an ImportError
        if not wanted.specifier.contains(found, prereleases=True):
            raise ImportError(f"{wanted.name} {found} is not {wanted.specifier}")


def locked_names():
    """What requirements.txt lists, without versions: `django ; python_version < "3.12"`."""
    lines = re.findall(r"^([A-Za-z0-9].*?) *\\?$", REQUIREMENTS.read_text("utf-8"), re.M)
    return [re.sub(r"==[^ ;]+", "", line) for line in lines]


def continue_inside(argv, error):
    """Run `argv` with the Python in .venv and return its exit code. Create .venv if necessary.

    `error` is the ImportError that this Python raised. Except on Windows, a successful call does
    not return, because the command replaces this process.
    """
    try:
        require_new_python(sys.version_info)
        if not is_complete():
            install()
        elif is_inside():
            raise CannotStart(f"{error}, though .venv is complete. Delete .venv, then start again.")
        return replace_process([str(PYTHON), *argv])
    except CannotStart as reason:
        say(str(reason))
        return WRONG_SETUP
    except KeyboardInterrupt:
        say("\nStopped. Start again to continue the installation.")
        return INTERRUPTED


def require_new_python(version):
    if version < MIN_PYTHON:
        raise CannotStart(
            f"Python {version[0]}.{version[1]} is too old, the workshop needs {MIN_PYTHON[0]}."
            f"{MIN_PYTHON[1]}. Install a newer one (python.org), then start with its name: "
            "python3.12 manage.py workshop"
        )


def is_inside():
    """Whether this Python is the one in .venv."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def is_complete():
    """Whether .venv has a Python and everything in requirements.txt."""
    return os.access(PYTHON, os.X_OK) and STAMP.exists() and not is_stale()


def is_stale():
    """Whether requirements.txt has changed since .venv was installed from it."""
    return STAMP.exists() and STAMP.read_text() != wanted_stamp()


def wanted_stamp():
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def install():
    """Install requirements.txt into .venv. Commands that start at the same time take turns."""
    try:
        STATE.mkdir(exist_ok=True)
        with install_lock():
            if is_complete():
                return
            if is_stale():
                say("requirements.txt has changed.")
            else:
                create_venv()  # again, if an installation was stopped
            run_pip()
            STAMP.write_text(wanted_stamp())
    except OSError as error:
        raise CannotStart(
            f"Cannot write in {PROJECT}: {error.strerror}. Copy the project to a folder of your "
            "own, then start again."
        ) from None


@contextmanager
def install_lock():
    """Hold a lock that ends with this process, even if it is killed."""
    with open(STATE / "install.lock", "w") as lock:
        if not try_lock(lock):
            say("Another command is installing. Waiting for it.")
        while not try_lock(lock):
            time.sleep(0.2)
        yield


def try_lock(lock):
    """Try to acquire the lock. A file system without locks grants it to every process."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def create_venv():
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            package = f"python3.{sys.version_info[1]}-venv"  # of Debian
            cure = f"sudo apt-get install {package}, or install Python from https://www.python.org"
            raise CannotStart(f"This Python has no {module}. Start again after this: {cure}")
    import venv

    say("Creating .venv (takes some seconds).")
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(VENV)
    except (ValueError, subprocess.CalledProcessError) as error:
        raise CannotStart(f"Cannot create .venv: {error} Delete .venv, then start again.") from None


def run_pip():
    say("Installing what requirements.txt lists (half a minute; longer on a slow network).")
    command = [PYTHON, "-m", "pip", "install", "--require-hashes", "-r", REQUIREMENTS]
    command += ["--disable-pip-version-check", "--quiet", "--no-input"]
    if subprocess.run(command, stdout=sys.stderr).returncode:
        raise CannotStart(
            "pip has failed, and says above why. Without a network: connect, then start again. "
            "Where hashes do not match, try another network: a proxy may have changed a package."
        )


def replace_process(command):
    """Run `command` instead of this process. On Windows, run it as a child of this process."""
    if os.name != "nt":
        os.execv(command[0], command)
    # On Windows, exec starts a second process and gives the keyboard back to the shell.
    with subprocess.Popen(command) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child receives Ctrl-C too, and handles it


def say(text):
    """Print to stderr: stdout belongs to the command that runs next."""
    print(text, file=sys.stderr, flush=True)
