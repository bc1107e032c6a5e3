"""Checks of this machine: Python, .venv, folders, port, proxy, system, and other external_programs.

They run before anything is installed. So they have the standard library only, and the syntax of
Python 3.6.
"""

import http.client
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from importlib.util import find_spec
from pathlib import Path

from lessons.workshop.setup import external_programs, virtual_environment
from lessons.workshop.terminal.doctor.commands import MANAGE, move_away, set_variable
from lessons.workshop.terminal.doctor.report import OK, OPTIONAL, WRONG, Row

HOST = "127.0.0.1"
HTTP_TIMEOUT = 0.7  # seconds in which a workshop on the port must answer
PROGRAM_TIMEOUT = 1.5  # seconds in which another program must say its version
# Words of the pages that a client without a session gets, in the modes local and shared.
WORKSHOP_PAGES = (b"Channels from the wire up", b"This workshop needs a token")
_NEWER_PYTHONS = [
    f"python3.{minor}" for minor in range(20, virtual_environment.MIN_PYTHON[1] - 1, -1)
]
# Each makes Linux refuse namespaces to users, with the value that does so and the cure.
_NAMESPACE_LIMITS = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
)


def python() -> Row:
    """Whether this Python is new enough."""
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] >= virtual_environment.MIN_PYTHON:
        return Row("Python", OK, f"{found}.")
    needed = ".".join(map(str, virtual_environment.MIN_PYTHON))
    text = f"{found} is too old: the workshop needs {needed}."
    for name in _NEWER_PYTHONS:
        if shutil.which(name):
            return Row("Python", WRONG, f"{text} Use {name}.", cure=f"{name} manage.py doctor")
    return Row("Python", WRONG, f"{text} Install a newer one: https://www.python.org")


def environment() -> Row:
    """Whether the commands have an environment, and which one."""
    make = f"{MANAGE} lesson"
    if has_packages():
        if not virtual_environment.is_inside():
            text = f"manage.py runs in {sys.prefix}, which has all packages."
            return Row("Environment", OK, text)
        if not virtual_environment.is_stale():
            return Row(
                "Environment", OK, f"manage.py runs inside .venv, {virtual_environment.VENV}."
            )
        text = "requirements.txt has changed since .venv was made. Deactivate .venv, and type:"
        return Row("Environment", WRONG, text, cure=make)
    if virtual_environment.is_complete():
        return Row(
            "Environment", OK, f"manage.py continues inside .venv, {virtual_environment.VENV}."
        )
    missing = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
    if missing and not virtual_environment.VENV.exists():
        text = f"There is no .venv, and this Python has no {missing[0]} to create it."
        return Row("Environment", WRONG, text, cure=external_programs.venv_module(sys.version_info))
    if virtual_environment.is_stale():
        text = "requirements.txt has changed since .venv was made. The next command installs it:"
    elif virtual_environment.VENV.exists():
        text = ".venv is incomplete. The next command completes it:"
    else:
        text = "There is no .venv yet. The next command creates it:"
    return Row("Environment", WRONG, text, cure=make)


def has_packages() -> bool:
    """Whether this Python can run the project; if not, manage.py continues in .venv."""
    try:
        virtual_environment.require_packages()
    except ImportError:
        return False
    return True


def project_python():
    """The Python that runs the commands; None if nothing is installed."""
    if has_packages():
        return sys.executable
    return str(virtual_environment.PYTHON) if virtual_environment.is_complete() else None


def folder(name: str) -> Row:
    """Whether the student's files can be written in this folder of the project."""
    path = virtual_environment.PROJECT / name
    existing = path if path.is_dir() else virtual_environment.PROJECT
    try:
        if path.exists() and not path.is_dir():
            return Row(f"{name}/", WRONG, f"{path} is a file.", cure=move_away(name))
        with tempfile.TemporaryFile(dir=str(existing)) as file:
            file.write(b"doctor")
    except OSError as error:
        text = f"Cannot write in {existing}: {error.strerror}."
        return Row(f"{name}/", WRONG, *_cure_of_folder(existing, text))
    return Row(f"{name}/", OK, "Can be written." if path.exists() else "Is created when needed.")


def _cure_of_folder(path: Path, text: str):
    """The rest of the row: the text, an empty use, and the command."""
    if os.name == "nt" or not os.path.exists(str(path)):
        return f"{text} Copy the project to a folder of your own.", "", ""
    status = os.stat(str(path))
    if status.st_uid != os.getuid():
        return text, "", f'sudo chown -R "$(id -un)" "{path}"'
    if not status.st_mode & 0o200:
        return text, "", f'chmod -R u+rwX "{path}"'
    return f"{text} Make room on its disk, or copy the project to another one.", "", ""


def port(number: int) -> Row:
    """Whether the workshop can listen at its port, or whether one already does."""
    try:
        with socket.socket() as probe:
            if os.name != "nt":  # as Daphne does; on Windows, two programs would share the port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, number))
            probe.listen(1)
    except OverflowError:
        return Row("Port", WRONG, f"There is no port {number}. The last one is 65535.")
    except OSError as error:
        if is_workshop(number):
            return Row("Port", OK, f"A workshop already runs at http://{HOST}:{number}/")
        text = f"Another program has port {number} of {HOST}: {error.strerror}."
        return Row("Port", WRONG, text, cure=f"{MANAGE} workshop --port {_free_port(number + 1)}")
    return Row("Port", OK, f"{HOST}:{number} is free.")


def is_workshop(number: int) -> bool:
    """Whether a page of the workshop is at that port, without a proxy in between."""
    connection = http.client.HTTPConnection(HOST, number, timeout=HTTP_TIMEOUT)
    try:
        connection.request("GET", "/")
        page = connection.getresponse().read(4096)
        return any(words in page for words in WORKSHOP_PAGES)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port(first: int) -> int:
    for number in range(first, first + 20):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, number)):
                return number
    return 0  # the workshop then takes any free port


def proxy() -> Row:
    """Whether programs would ask a proxy for the pages of this machine."""
    proxies = urllib.request.getproxies_environment()
    hosts = [
        host
        for host in (HOST, "localhost")
        if not urllib.request.proxy_bypass_environment(host, proxies)
    ]
    names = [f"{kind}_proxy" for kind in ("http", "https", "all", "ws", "wss") if kind in proxies]
    if not names:
        return Row("Proxy", OK, "No variable names one.")
    shown = " and ".join(name if name in os.environ else name.upper() for name in names)
    if not hosts:
        return Row("Proxy", OK, f"{shown}: not used for {HOST} and localhost.")
    text = (
        f"{shown}: also used for {' and '.join(hosts)}, so tests, curl and some browsers ask the "
        "proxy for pages of this machine."
    )
    return Row("Proxy", OPTIONAL, text, cure=_without_proxy(hosts))


def _without_proxy(hosts) -> str:
    name = "no_proxy" if "no_proxy" in os.environ else "NO_PROXY"
    return set_variable(name, ",".join(hosts), keeps=bool(os.environ.get(name)))


def system() -> Row:
    """What is special on this system."""
    name = f"{platform.system()} {platform.release()}, {platform.machine()}"
    if not hasattr(os, "fork"):
        text = (
            f"{name}. It has no fork, so each verdict starts a new process and takes about a "
            "second, and `cluster` needs REDIS_URL."
        )
        return Row("System", OK, text)
    is_wsl = "microsoft" in platform.release().lower()
    if is_wsl and str(virtual_environment.PROJECT).startswith("/mnt/"):
        text = f"{name} (WSL). The project is on a disk of Windows, which is slow. Copy it:"
        cure = f'cp -r "{virtual_environment.PROJECT}" ~/'
        return Row("System", OPTIONAL, text, cure=cure)
    return Row("System", OK, f"{name} (WSL)." if is_wsl else f"{name}.")


def program(one: external_programs.Program) -> Row:
    """Whether a program is installed, and its version."""
    path = one.find()
    if path is None:
        command = one.install_command()
        text = "Is not installed." if command else f"Is not installed: see {one.homepage}."
        return Row(one.name, OPTIONAL, text, one.needed_for, command or "")
    option = "-v" if one is external_programs.NGINX else "--version"
    code, output = run_program([path, option])
    version = re.search(r"\d+(\.\d+)+", output)
    if code or not version:
        text = f"{path} does not start: {last_line(output) or f'exit code {code}'}"
        return Row(one.name, OPTIONAL, text, one.needed_for)
    return Row(one.name, OK, f"{version.group()} at {path}.")


def sandbox() -> Row:
    """Whether bubblewrap is installed and the system lets it create namespaces."""
    one = external_programs.BUBBLEWRAP
    row = program(one)
    if row.state != OK:
        return row
    code, output = run_program([one.find(), "--ro-bind", "/", "/", "--unshare-all", "true"])
    if not code:
        return row._replace(text=f"{row.text[:-1]}, and namespaces are permitted.")
    text = f"{row.text[:-1]}, but it cannot create namespaces: {last_line(output)}."
    for name, value, cure in _NAMESPACE_LIMITS:
        if _kernel_setting(name) == value:
            return Row(one.name, OPTIONAL, text, one.needed_for, f"sudo sysctl -w {name}={cure}")
    return Row(one.name, OPTIONAL, f"{text} A container may forbid them.", one.needed_for)


def _kernel_setting(name: str) -> str:
    try:
        return Path("/proc/sys", *name.split(".")).read_text().strip()
    except OSError:
        return ""


def run_program(command):
    """The exit code of the command and all that it printed."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PROGRAM_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return 1, f"no answer for {PROGRAM_TIMEOUT} s"
    except OSError as error:
        return 1, error.strerror or str(error)
    return done.returncode, done.stdout.decode(errors="replace")


def last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else ""
