"""Runs one part of `manage.py cluster`; it ends when the cluster does, however that ends.

    python -m lessons.cli.cluster_process PID manage runserver ...
    python -m lessons.cli.cluster_process PID redis FOLDER

PID is the cluster's. Whoever is killed with SIGKILL tells nobody, so each part watches it.
"""

import os
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from lessons.core import redis_server

PATIENCE = 10.0  # seconds until Redis must answer


def main(pid: int, kind: str, *arguments: str) -> None:
    folder = Path(arguments[0]) if kind == "redis" else None
    threading.Thread(target=end_with, args=(pid, folder), daemon=True).start()
    if kind == "redis":
        sys.exit(serve_redis(folder))
    wait_for_redis(os.environ["REDIS_URL"])
    sys.argv = ["manage.py", *arguments]
    runpy.run_path("manage.py", run_name="__main__")


def end_with(pid: int, folder: Path | None) -> None:
    """Wait until the cluster is gone, then end this process and all that it has started."""
    between = psutil.Process().parent()  # Honcho's own, which ignores SIGTERM
    try:
        cluster = psutil.Process(pid)
        has_between = between is not None and between.ppid() == pid
        cluster.wait()
        if has_between:
            between.kill()
    except psutil.NoSuchProcess:
        pass
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def serve_redis(folder: Path) -> int:
    """Serve on a socket file in `folder`, which goes with the server; its exit code."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: None)  # the server hears it too, and ends first
    server = subprocess.Popen(
        redis_server.command(redis_server.binaries()[0], folder),
        stdin=subprocess.DEVNULL,
        preexec_fn=_end_with_this_process if sys.platform == "linux" else None,
    )
    code = server.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return code


def _end_with_this_process() -> None:
    """Linux can see to that itself; elsewhere a server outlives a SIGKILL of this process alone."""
    import ctypes

    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def wait_for_redis(url: str, patience: float = PATIENCE) -> None:
    """Return once a server answers there. Raises redis-py's ConnectionError where none does."""
    from redis import Redis
    from redis.exceptions import ConnectionError

    until = time.monotonic() + patience
    with Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
                return
            except ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
