"""Runs code in a child process, which ends with this one or after a time limit."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import django
import msgpack
from django.apps import apps
from django.conf import settings
from django.db import connections

_SIGNALS = {signal.SIGINT, signal.SIGTERM}
_environment_lock = threading.Lock()  # held while the environment is another one
ANSWER_TIMEOUT = 30  # seconds; the child has its own limit, but starts slowly on a busy machine

T = TypeVar("T")


class NoAnswer(Exception):
    """The child process ended without an answer, or did not answer in time."""


class ChildRaised(Exception):
    """The function in the child process raised an exception; the text is its traceback."""


class UnreadableData(ValueError):
    """What came through the pipe is not what send_data() writes."""


def send_data(connection: Connection, value: Any) -> None:
    """Send `value` through a pipe as MessagePack; receive_data() returns it at the other end.

    Nothing that a student's process sends may be unpickled: unpickling can run any code. None,
    booleans, numbers, texts, bytes, lists, tuples and dicts arrive unchanged. A subclass of such a
    type arrives as that type, a dataclass as a dict for read_dataclass(), any other object as its
    repr.
    """
    connection.send_bytes(packed(value))


def receive_data(connection: Connection, max_size: int | None = None) -> Any:
    """Receive what send_data() sent: of a student's process, at most `max_size` bytes.

    Raises EOFError, OSError for more bytes, or UnreadableData for anything that is not data.
    """
    data = connection.recv_bytes(max_size)
    try:
        return unpacked(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableData(f"The process sent something that is not data: {error}") from None


# What MessagePack lacks is an extension, which has a number.
_TUPLE, _LARGE_NUMBER, _OBJECT = 1, 2, 3


def packed(value: Any, other: Callable[[Any], Any] = repr) -> bytes:
    """`value` as MessagePack. `other(item)` takes the place of an item of an unknown type."""
    return msgpack.packb(
        value, default=partial(_plain, other), strict_types=True, unicode_errors="surrogatepass"
    )


def unpacked(data: bytes) -> Any:
    """The value that packed() has packed. Raises ValueError, TypeError or RecursionError."""
    return msgpack.unpackb(
        data, ext_hook=_extension, strict_map_key=False, unicode_errors="surrogatepass"
    )


def object_like(value: Any) -> Any:
    """For packed(): the other end gets an object whose class has the same name and no methods."""
    return msgpack.ExtType(_OBJECT, packed([type(value).__name__, repr(value)]))


def _plain(other: Callable[[Any], Any], value: Any) -> Any:
    """What is packed instead of a value that MessagePack, or its strictness, refuses."""
    if type(value) is tuple:
        return msgpack.ExtType(_TUPLE, packed([*value], other))
    if type(value) is int:
        return msgpack.ExtType(_LARGE_NUMBER, hex(value).encode())
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        # A tuple as a list, which is quicker to pack: read_dataclass() knows the declared type.
        items = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: [*item] if type(item) is tuple else item for name, item in items}
    for kind, copy in _COPIES.items():
        if isinstance(value, kind):
            return copy(value)
    return other(value)


# Copies of a subclass in the exact type. These methods ignore what the subclass has redefined.
_COPIES: dict[type, Callable] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: bytes.__bytes__,
    bytearray: bytearray.copy,
    dict: dict.copy,
    list: list.copy,
    tuple: lambda value: tuple.__add__((), value),
    memoryview: bytes,
}


def _extension(code: int, data: bytes) -> Any:
    if code == _TUPLE:
        return tuple(unpacked(data))
    if code == _LARGE_NUMBER:
        return int(data, 16)
    if code == _OBJECT:
        name, text = unpacked(data)
        return type(name, (), {"__repr__": lambda self: str(text)})()
    raise ValueError(f"no type has the number {code}")


def read_dataclass(kind: type[T], data: dict, finish: Mapping[type, Callable] | None = None) -> T:
    """The dataclass that send_data() sent as a dict, with all that is in it.

    A student's code runs in the process that sends it. So each field, and each item of a tuple or a
    dict, must have the declared type: TypeError if one has not. `finish` has functions for classes
    of dataclasses: what such a function returns replaces the object.
    """
    return _reader(kind)(data, finish or {})


@cache
def _reader(declared: Any) -> Callable[[Any, Mapping[type, Callable]], Any]:
    """A function that returns a value of the declared type, read from what was sent."""
    origin, arguments = get_origin(declared), get_args(declared)
    if declared is Any:
        return lambda value, finish: value
    if is_dataclass(declared):
        return _dataclass_reader(declared)
    if declared is Path:
        return lambda value, finish: Path(_instance(value, str))
    if origin is Literal:
        return _checked(declared, arguments.__contains__)
    if origin is UnionType:  # X | None
        read_other = _reader(arguments[0])
        return lambda value, finish: None if value is None else read_other(value, finish)
    if origin is tuple and arguments[-1] is Ellipsis:
        read_item = _reader(arguments[0])
        return lambda value, finish: tuple(
            read_item(item, finish) for item in _instance(value, list | tuple)
        )
    if origin is tuple:
        readers = [*map(_reader, arguments)]
        return lambda value, finish: tuple(
            read(item, finish)
            for read, item in zip(readers, _instance(value, list | tuple), strict=True)
        )
    if origin is dict:
        read_key, read_value = map(_reader, arguments)
        return lambda value, finish: {
            read_key(key, finish): read_value(item, finish)
            for key, item in _instance(value, dict).items()
        }
    kind = int | float if declared is float else declared
    return _checked(declared, lambda value: isinstance(value, kind))


def _dataclass_reader(kind: type) -> Callable[[Any, Mapping[type, Callable]], Any]:
    @cache  # not before the first use, since a type may hold itself
    def readers() -> dict[str, Callable]:
        return {name: _reader(declared) for name, declared in get_type_hints(kind).items()}

    def read(value, finish):
        known = readers()
        found = kind(
            **{name: known[name](item, finish) for name, item in _instance(value, dict).items()}
        )
        return finish[kind](found) if kind in finish else found

    return read


def _checked(declared: Any, is_valid: Callable[[Any], bool]) -> Callable:
    def read(value, finish):
        if not is_valid(value):
            raise TypeError(f"{value!r} is not of the type {declared}")
        return value

    return read


def _instance(value: Any, kind):
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not of the type {kind}")
    return value


def run_isolated(function, *args, timeout: float = ANSWER_TIMEOUT) -> Any:
    """Run `function(answer, *args)` in a child process; return what it passes to `answer`.

    The first call of `answer`, from any thread, ends the process and all that it started. The value
    travels as send_data() describes. Raises NoAnswer, or ChildRaised with the function's exception.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = start_child(_run_function, theirs, function, args)
    theirs.close()
    try:
        if not ours.poll(timeout):
            raise NoAnswer(f"Its process sent nothing for {timeout:g} s.")
        kind, value = receive_data(ours)
    except EOFError:
        raise NoAnswer("Its process ended before it answered.") from None
    except (ValueError, TypeError):
        raise NoAnswer("Its process sent something that is not an answer.") from None
    finally:
        kill_process_group(child)
        ours.close()
    if kind == "raised":
        raise ChildRaised(value)
    return value


def _run_function(pipe: Connection, function, args) -> None:
    set_up_django()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    once = threading.Lock()

    def answer(value, kind="answer"):
        if once.acquire(blocking=False):
            try:
                send_data(pipe, [kind, value])
            finally:  # even if the parent process has ended
                os._exit(0)  # without exit handlers: the target's code may block them
        threading.Event().wait()  # another thread is answering, and ends this one too

    try:
        function(answer, *args)
    except Exception:
        answer(traceback.format_exc(), "raised")


def start_child(function, *args, method: str | None = None):
    """Start a process that runs `function(*args)` in its own process group, and ends with this one.

    `method` is one of multiprocessing's; without it, start_method() chooses.

    Signals are blocked while it starts. A handler may raise an exception, as Ctrl-C does, and
    Python and its libraries would lose that exception in the code that runs around a fork.
    """
    context = multiprocessing.get_context(method or start_method())
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
    """Run `function` in the child, which inherits the blocked signals of its parent.

    Where the system has process groups, the child gets its own: kill_process_group() ends it.
    """
    if hasattr(os, "setsid"):
        os.setsid()
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

    forkserver.set_forkserver_preload(settings.ENGINE_PRELOAD)
    path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
    changes = {"PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    with _environment_lock, mock.patch.dict(os.environ, changes):
        forkserver.ensure_running()


def kill_process_group(child, *, everywhere: bool = not hasattr(os, "killpg")) -> None:
    """End the child and every process that the target's code has started.

    `everywhere`: also those in other process groups. To find them takes some milliseconds.
    """
    end_started = _ending_descendants(child.pid) if everywhere else None
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        child.kill()
    child.join()
    child.close()
    if end_started:
        end_started()


def _ending_descendants(pid: int) -> Callable[[], None]:
    """A function that ends the processes which this process and its children have started now."""
    import psutil  # it takes longer to import than a short check takes

    started: list[psutil.Process] = []
    with suppress(psutil.Error):  # the process has ended
        started = psutil.Process(pid).children(recursive=True)

    def end() -> None:
        for one in started:
            with suppress(psutil.Error):
                one.kill()

    return end


def set_up_django() -> None:
    """Set up Django with SQLite, unless this process was forked from one that did."""
    if not apps.ready:
        django.setup()
    use_sqlite()


def use_sqlite() -> None:
    """From now on, this process has the database that it has without DATABASE_URL.

    So a verdict does not depend on the workshop's database, and cannot change it.
    """
    if settings.DATABASE_URL:
        settings.DATABASES = {"default": settings.SQLITE}
        connections.settings = connections.configure_settings(settings.DATABASES)
        with suppress(AttributeError):  # this thread has not used the database yet
            del connections["default"]
