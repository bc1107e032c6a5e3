"""Starts and ends the child processes that run a student's code, and sets up Django in them."""

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress

import django
from django.apps import apps
from django.conf import settings
from django.db import connections

_SIGNALS = {signal.SIGINT, signal.SIGTERM}
_environment_lock = threading.Lock()  # held while the environment is another one


def start_child(function, *args):
    """Start a process that runs `function(*args)` in its own process group, and ends with this one.

    Signals are blocked while it starts. A handler may raise an exception, as Ctrl-C does, and
    Python and its libraries would lose that exception in the code that runs around a fork.
    """
    context = multiprocessing.get_context(start_method())
    child = context.Process(target=_run_in_group, args=(function, *args), daemon=True)
    if not hasattr(signal, "pthread_sigmask"):
        child.start()
        return child
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return child


def _run_in_group(function, *args) -> None:
    """Run `function` in the child, which inherits blocked signals and handlers of its parent.

    SIGTERM ends it, whatever code runs: a handler that raises could be caught by a student's code.
    Where the system has process groups, the child gets its own: end_child() ends it.
    """
    if hasattr(os, "setsid"):
        os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # forget a Ctrl-C that came while it started
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    function(*args)


def start_method() -> str:
    """How to start a child: fork, if this process has no other thread.

    A fork copies one thread only, so locks that other threads hold would never be released. With
    threads, a fork server forks instead: it has loaded everything and has no threads.
    """
    if hasattr(os, "fork") and threading.active_count() == 1:
        return "fork"
    return clean_start_method()


def clean_start_method() -> str:
    """How to start a child that has none of this process's state, such as a running event loop."""
    if not hasattr(os, "fork"):
        return "spawn"
    start_fork_server()
    return "forkserver"


def start_fork_server() -> None:
    """Start the fork server, unless it runs. It loads settings.ENGINE_PRELOAD first.

    The fork server ignores a module that it cannot find, and it may have another path than this
    process. The order of a set of texts is the same in each of its children.
    """
    from multiprocessing import forkserver
    from unittest import mock

    forkserver.set_forkserver_preload(getattr(settings, "ENGINE_PRELOAD", []))
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    changes = {"PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    with _environment_lock, mock.patch.dict(os.environ, changes):
        forkserver.ensure_running()


def end_child(child, *, everywhere: bool = not hasattr(os, "killpg")) -> None:
    """End the child and every process that it has started.

    `everywhere`: also those in other process groups. To find them takes some milliseconds.
    """
    started = []
    if everywhere:
        import psutil  # it takes longer to import than a short check takes

        with suppress(psutil.Error):  # the process has ended
            started = psutil.Process(child.pid).children(recursive=True)
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        child.kill()
    child.join()
    child.close()
    for process in started:
        with suppress(Exception):  # it has ended
            process.kill()


def set_up_django() -> None:
    """Set up Django with SQLite, unless this process was forked from one that did."""
    if not apps.ready:
        django.setup()
    use_sqlite()


def use_sqlite() -> None:
    """From now on, this process has the database that it has without DATABASE_URL.

    So a verdict does not depend on the workshop's database, and cannot change it.
    """
    if getattr(settings, "DATABASE_URL", ""):
        settings.DATABASES = {"default": settings.SQLITE}
        connections.settings = connections.configure_settings(settings.DATABASES)
        with suppress(AttributeError):  # this thread has not used the database yet
            del connections["default"]
