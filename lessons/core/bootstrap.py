"""Makes .venv from requirements.txt and goes on inside it: a bare Python is enough to start.

Standard library only, and in the syntax of Python 3.6, since it is what says that a Python is too
old. Whoever works in an environment of their own, with Django and Channels in it, never gets here.
"""

import errno
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

OLDEST = (3, 11)
PROJECT = Path(__file__).resolve().parents[2]
REQUIREMENTS = PROJECT / "requirements.txt"
VENV = PROJECT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "requirements.sha256"  # written last: without it the installation is not complete
STATE = PROJECT / ".workshop"
REPORT = STATE / "pip.log"

NO_NETWORK = ("NewConnection", "NameResolution", "Timeout", "ProxyError", "SSLError")


class CannotStart(Exception):
    """Something that the user has to put right; the message is one line and says how."""


def go_on_inside(argv, error):
    """Run `argv` with the Python in .venv, which is made first where need be; its exit code.

    `error` is the ImportError for which this Python will not do. Where there is exec, this does
    not return.
    """
    try:
        refuse_old_python(sys.version_info)
        if not is_complete():
            install()
        elif is_inside():
            raise CannotStart(f"{error}, though .venv is complete. Delete .venv, then start again.")
        return run_instead([str(PYTHON), *argv])
    except CannotStart as reason:
        return str(reason)
    except KeyboardInterrupt:
        return "\nStopped. Start again, and the installation goes on."


def refuse_old_python(version):
    if version < OLDEST:
        raise CannotStart(
            f"Python {version[0]}.{version[1]} is too old, the workshop needs {OLDEST[0]}."
            f"{OLDEST[1]}. Install a newer one (python.org), then start with its name: "
            "python3.12 manage.py workshop"
        )


def is_inside():
    """Whether this very Python is the one in .venv."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def is_complete():
    """Whether .venv holds all that requirements.txt asks for, and its Python is still there."""
    return os.access(PYTHON, os.X_OK) and STAMP.exists() and not is_stale()


def is_stale():
    """Whether requirements.txt has changed since .venv was installed from it."""
    return STAMP.exists() and STAMP.read_text() != wanted_stamp()


def wanted_stamp():
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def install():
    """Bring .venv to what requirements.txt says. Commands started at the same time take turns."""
    try:
        STATE.mkdir(exist_ok=True)
        with alone():
            if is_complete():
                return
            if is_stale():
                say("requirements.txt has changed.")
            if not has_pip():
                make_venv()
            run_pip()
            STAMP.write_text(wanted_stamp())
    except OSError as error:
        raise CannotStart(
            f"Cannot write in {PROJECT}: {error.strerror}. Copy the project to a folder of your "
            "own, then start again."
        ) from None


@contextmanager
def alone():
    """Hold a lock that ends with this process, however that ends."""
    with open(STATE / "install.lock", "w") as lock:
        if not is_mine(lock):
            say("Another command is installing. Waiting for it.")
        while not is_mine(lock):
            time.sleep(0.2)
        yield


def is_mine(lock):
    """Try to take the lock. Where the file system knows no locks, everybody has it."""
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


def has_pip():
    """Whether .venv is there and whole: pip is the last thing that goes into a new one.

    And the last thing of pip is a note of who put it there. To start pip itself takes longer.
    """
    note = "from importlib.metadata import *; exit(not distribution('pip').read_text('INSTALLER'))"
    try:
        return subprocess.run([PYTHON, "-c", note], capture_output=True).returncode == 0
    except OSError:
        return False


def make_venv():
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise CannotStart(
                f"This Python has no {module}. On Debian and Ubuntu: sudo apt install "
                f"python3.{sys.version_info[1]}-venv; elsewhere take the Python from python.org. "
                "Then start again."
            )
    import venv

    say("Making .venv (some seconds).")
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(VENV)
    except (ValueError, subprocess.CalledProcessError) as error:
        raise CannotStart(f"Cannot make .venv: {error} Delete .venv, then start again.") from None


def run_pip():
    say("Installing what requirements.txt lists (half a minute; minutes on a slow line):")
    command = [PYTHON, "-m", "pip", "install", "--require-hashes", "-r", REQUIREMENTS]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--no-input"]
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with pip, REPORT.open("wb") as report:
        for line in pip.stdout:
            report.write(line)
            show_progress(line.decode(errors="replace"))
    if pip.returncode:
        raise CannotStart(explain(REPORT.read_text(errors="replace")))


def show_progress(line):
    """The names of the packages as they come, instead of pip's own hundred lines."""
    if line.startswith("Collecting "):
        say(line.split()[1].partition("=")[0], end=" ")
    elif line.startswith("Installing "):
        say("\nPutting them into .venv.")


def explain(report):
    """Why pip failed, in one line."""
    if "DO NOT MATCH THE HASHES" in report:
        reason = "A package is not the one that requirements.txt was locked with"
        return f"{reason}: see {REPORT}. Try another network; it may have been changed on the way."
    if any(sign in report for sign in NO_NETWORK):
        return f"No network for pip (its report: {REPORT}). Connect, then start again."
    errors = [line.strip() for line in report.splitlines() if line.startswith("ERROR: ")]
    return f"pip failed: {errors[-1][7:] if errors else 'it does not say why'} (all in {REPORT})"


def run_instead(command):
    """Put `command` in this process's place, or as near to that as the system can."""
    if os.name != "nt":
        os.execv(command[0], command)
    # Windows starts a second process and gives the keyboard back to the shell.
    with subprocess.Popen(command) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child heard Ctrl-C too, and it is the one to act on it


def say(text, end="\n"):
    """To stderr: stdout belongs to the command that is about to run."""
    print(text, end=end, file=sys.stderr, flush=True)
