"""Runs code in a child process that ends with this one, or when it takes too long."""

import json
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from dataclasses import fields, is_dataclass
from multiprocessing.connection import Connection
from typing import Any

import django
from django.apps import apps

from lessons.core.catalogue import PROJECT_DIR

_SIGNALS = {signal.SIGINT, signal.SIGTERM}
_PATIENCE = 30  # seconds: a child keeps its own limit, but a busy machine may draw out its start


class NoAnswer(Exception):
    """The process has ended without an answer, or did not end."""


class UnreadableMessage(ValueError):
    """What came through the pipe is not what send_json() writes."""


def send_json(connection: Connection, value: Any) -> None:
    """Send `value` through a pipe as JSON; receive_json() returns it at the other end.

    Nothing that a student's process sends may be unpickled: unpickling can run any code. Besides
    JSON values, bytes, tuples and dicts with any keys arrive unchanged. A subclass of a built-in
    type arrives as that type, a dataclass as a dict of its fields, any other object as its repr.
    """
    connection.send_bytes(json.dumps(_tagged(value)).encode())


def receive_json(connection: Connection) -> Any:
    """Receive what send_json() sent. Raises EOFError, or UnreadableMessage for anything else."""
    data = connection.recv_bytes()
    try:
        return _untagged(json.loads(data))
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableMessage(f"The process sent something that is not JSON: {error}") from None


def _tagged(value: Any) -> Any:
    """A JSON value for `value`: what JSON lacks becomes a dict with the name of its type."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_tagged(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_tagged(key), _tagged(item)] for key, item in value.items()]}
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return _tagged({name: getattr(value, name) for name in names})
    return repr(value)


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "tuple":
        return tuple(_untagged(item) for item in content)
    if kind == "dict":
        return {_untagged(key): _untagged(item) for key, item in content}
    raise ValueError(f"no type has the tag {kind!r}")


def run_isolated(function, *args):
    """What `function(answer, *args)` calls `answer` with, or the exception that it raises.

    The process ends with the first answer, from whichever thread it comes, and takes with it all
    that was started in it. Raises NoAnswer where it dies of itself.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = start_child(_answer, theirs, function, args)
    theirs.close()
    try:
        if not ours.poll(_PATIENCE):
            raise NoAnswer("It has said nothing for too long.")
        kind, value = ours.recv()
    except EOFError:
        raise NoAnswer("Its process has ended in the middle.") from None
    finally:
        kill_process_group(child)
        ours.close()
    if kind == "raised":
        raise value
    return value


def _answer(pipe, function, args) -> None:
    set_up_django()
    if hasattr(os, "setsid"):
        os.setsid()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    once = threading.Lock()

    def answer(value, kind="answer"):
        if once.acquire(blocking=False):
            try:
                pipe.send((kind, value))
            finally:  # also where nobody is left who asked
                os._exit(0)  # past whatever would hang into the exit
        threading.Event().wait()  # another thread is answering, and ends this one too

    try:
        function(answer, *args)
    except Exception as error:
        error.add_note(traceback.format_exc())
        answer(error, "raised")


def start_child(function, *args):
    """A process that runs `function(*args)`, begun; it ends with this one.

    No signal is heard meanwhile: what its handler raises, as Ctrl-C does, would be lost in what
    Python and its libraries do around a fork.
    """
    context = multiprocessing.get_context(start_method())
    child = context.Process(target=_with_signals_unblocked, args=(function, *args), daemon=True)
    if not hasattr(signal, "pthread_sigmask"):
        child.start()
        return child
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return child


def _with_signals_unblocked(function, *args) -> None:
    """In the child, which has begun as deaf as the process that started it was then."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    function(*args)


def start_method() -> str:
    """Fork where that is safe: from a process that has no thread, so has run no async code.

    Elsewhere on POSIX a fork server, itself warm and without threads, does the forking.
    """
    if not hasattr(os, "fork"):
        return "spawn"
    if threading.active_count() == 1:
        return "fork"
    start_fork_server()
    return "forkserver"


def start_fork_server() -> None:
    """Start the warm process that forks, unless it runs.

    It looks for what it loads where Python itself would, and keeps silent about what is not there:
    the command may have been given in another folder.
    """
    from multiprocessing import forkserver
    from unittest import mock

    forkserver.set_forkserver_preload(["lessons.judge.preload"])
    path = os.pathsep.join(filter(None, [str(PROJECT_DIR), os.environ.get("PYTHONPATH")]))
    with mock.patch.dict(os.environ, PYTHONPATH=path):
        forkserver.ensure_running()


def kill_process_group(child) -> None:
    """Leave no process behind: neither the child nor what the target's code has started."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            child.kill()
    else:
        child.kill()
    child.join()
    child.close()


def set_up_django() -> None:
    """Set Django up in a process that was not forked from one where it is."""
    if not apps.ready:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
        django.setup()
