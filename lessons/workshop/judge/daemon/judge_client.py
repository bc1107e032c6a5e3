"""Connects to the judge process of this clone, and starts it when it does not run.

The judge holds a lock for as long as it runs, so there is one for each clone. Its port and its
token are in a file that only the user may read: other users of the machine can reach the port.
"""

import json
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from django.core.files import locks

from lessons.workshop.course import lesson_index
from lessons.workshop.setup import atomic_write
from lessons.workshop.student import progress

HOST = "127.0.0.1"
START_TIMEOUT = 30.0  # seconds for the judge to start, or to end the verdict in progress
MAX_STARTS = 3
MAX_PAUSE = 30.0  # seconds until a judge that ends again and again is replaced
STABLE_AFTER = 10.0  # seconds after which a judge does not count as one that ends at once
_RETRY_INTERVAL = 0.02
_KEEPER_INTERVAL = 0.5  # seconds between two looks whether the keeper's block has ended
_started: list[subprocess.Popen] = []  # judges that this process has started: they may outlive it


class JudgeUnavailable(Exception):
    """No judge process runs and none can be started; the text says why."""


class JudgeConnection:
    """A connection to the judge. A context manager."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def send(self, **request) -> None:
        """Raises OSError if the judge has ended."""
        self._connection.sendall(json.dumps(request).encode() + b"\n")

    def receive(self, timeout: float) -> dict | None:
        """The next message, None if none comes in time. Raises OSError if the judge has ended."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._unread:
            wait = max(deadline - time.monotonic(), 0)
            if not select.select([self._connection], [], [], wait)[0]:
                return None
            received = self._connection.recv(65536)
            if not received:
                raise ConnectionError("The judge process has ended.")
            self._unread += received
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)


class RestartPause:
    """How long to wait before a judge that has ended is replaced: at first not at all."""

    def __init__(self):
        self._next = 0.0
        self._begun = time.monotonic()

    def seconds(self) -> float:
        """The pause after the end of a judge. It doubles if judges end soon after their start."""
        was_stable = time.monotonic() - self._begun > STABLE_AFTER
        pause = 0.0 if was_stable else self._next
        self._next = min(pause * 2 or 1.0, MAX_PAUSE)
        self._begun = time.monotonic() + pause
        return pause


class JudgeKeeper:
    """Keeps a judge running within its block, and replaces a judge that has ended."""

    def __init__(self, warn: Callable[[str], object]):
        self._warn = warn
        self._is_over = threading.Event()

    def __enter__(self):
        """Raises JudgeUnavailable."""
        connection = connect()
        threading.Thread(
            target=self._keep, args=(connection,), name="judge keeper", daemon=True
        ).start()
        return self

    def __exit__(self, *_):
        self._is_over.set()

    def _keep(self, connection: JudgeConnection | None) -> None:
        pause = RestartPause()
        while True:
            if connection:
                with suppress(OSError), connection:
                    while not self._is_over.is_set():
                        connection.receive(_KEEPER_INTERVAL)
            if self._is_over.wait(pause.seconds()):
                return
            connection = self._replace()

    def _replace(self) -> JudgeConnection | None:
        try:
            connection = connect()
        except JudgeUnavailable as error:
            self._warn(f"The judge process has ended. Exercises are not judged: {error}")
            return None
        self._warn("The judge process had ended. A new one runs now.")
        return connection


def connect(**request) -> JudgeConnection:
    """Connect to the judge and send a first request; start the judge if it does not run.

    Raises JudgeUnavailable.
    """
    deadline = time.monotonic() + START_TIMEOUT
    process, starts = None, 0
    while time.monotonic() < deadline:
        try:
            if is_running():
                if connection := _try_to_connect(request):
                    return connection
            elif process is None or process.poll() is not None:
                starts += 1
                if starts > MAX_STARTS:
                    break
                process = _start_judge()
                _started[:] = [*(one for one in _started if one.poll() is None), process]
        except OSError as error:
            raise JudgeUnavailable(atomic_write.explain_os_error(error)) from None
        time.sleep(_RETRY_INTERVAL)
    raise JudgeUnavailable("The judge process does not start.")


def is_running() -> bool:
    """Whether a judge holds the lock. Raises OSError if the lock file cannot be written."""
    lock = acquire_lock()
    if lock is None:
        return True
    lock.close()
    return False


def find_judge() -> tuple[int, str] | None:
    """The port and the token of the running judge; None if no judge runs."""
    try:
        # Without a running judge, the address is left over from one that was killed.
        known = json.loads(address_file().read_text(encoding="utf-8")) if is_running() else None
        return known and (known["port"], known["token"])
    except (OSError, ValueError):
        return None


def acquire_lock() -> IO | None:
    """The judge's lock, released when its holder ends; None if another judge has it."""
    lock = open(_lock_file(), "a")  # noqa: SIM115 - stays open until the process ends
    if locks.lock(lock, locks.LOCK_EX | locks.LOCK_NB):
        return lock
    lock.close()
    return None


def write_address(port: int, token: str) -> None:
    address = json.dumps({"port": port, "token": token})
    atomic_write.write(address_file(), address.encode(), permissions=0o600)


def address_file() -> Path:
    return progress.state_dir() / "judge.json"


def _lock_file() -> Path:
    progress.state_dir().mkdir(exist_ok=True)
    return progress.state_dir() / "judge.lock"


def _try_to_connect(request: dict) -> JudgeConnection | None:
    """None if the judge does not listen yet, or has just ended."""
    if (address := find_judge()) is None:
        return None
    port, token = address
    with suppress(ConnectionError), ExitStack() as stack:
        connection = stack.enter_context(JudgeConnection(socket.create_connection((HOST, port))))
        connection.send(token=token, **request)
        if connection.receive(START_TIMEOUT):
            stack.pop_all()
            return connection
    return None


def _start_judge() -> subprocess.Popen:
    """Start the judge in its own session: Ctrl-C in this terminal must not reach it."""
    return subprocess.Popen(
        [sys.executable, "-m", "lessons.workshop.judge.daemon.judge_daemon"],
        cwd=lesson_index.PROJECT_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
