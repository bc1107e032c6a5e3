"""Notices that a student's code has replaced a function of the engine.

The engine runs in the process of the student's code, and reports what it has observed: tasks and
threads left behind, forgotten awaits, blocked loops. Code that replaces a function of the engine
could hide these.
"""

import asyncio
import gc
import inspect
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from operator import getitem, is_
from types import FunctionType, ModuleType

import msgpack

_ENGINE = ("lessons.playback", "lessons.simulator", "lessons.wire", "lessons.core")
# What the engine calls when it looks for leftovers and reports. The guard replaces the last two.
_CALLED: tuple[tuple[ModuleType | type, tuple[str, ...]], ...] = (
    (asyncio, ("all_tasks", "current_task")),
    (asyncio.tasks, ("all_tasks", "current_task")),
    (threading, ("enumerate", "Thread")),
    (threading.Thread, ("is_alive", "join", "start")),
    (gc, ("collect", "get_objects")),
    (inspect, ("getcoroutinestate",)),
    (warnings, ("catch_warnings", "simplefilter")),
    (sys, ("set_coroutine_origin_tracking_depth", "_current_frames", "_getframe")),
    (os, ("stat", "lstat", "fstat", "readlink", "write", "fsdecode")),
    (os.path, ("realpath", "dirname", "basename", "join", "isabs")),
    (msgpack, ("packb", "unpackb")),
    (Connection, ("_send", "_send_bytes", "send_bytes", "recv_bytes")),
    (subprocess, ("_fork_exec",)),
    *((sys.modules[name], ("fork_exec",)) for name in ["_posixsubprocess"] if name in sys.modules),
)


def engine_snapshot() -> Callable[[], str]:
    """A function that names something that was replaced since now; "" if nothing was.

    Call it while no conversation is played: a conversation replaces some functions itself.
    """
    watched = [*_functions_of_engine(), *_called_functions(), *_modules()]
    owners = [owner for owner, _, _ in watched]
    names = [name for _, name, _ in watched]
    usual = [item for _, _, item in watched]

    def changed_name() -> str:
        try:
            # Quick, because this runs for each conversation.
            if all(map(is_, map(getitem, owners, names), usual)):
                return ""
        except KeyError:
            pass
        for owner, name, item in zip(owners, names, usual, strict=True):
            if owner.get(name) is not item:
                return f"{getattr(item, '__module__', None) or ''}.{name}".lstrip(".")
        return ""

    return changed_name


def _engine_modules() -> list[tuple[str, ModuleType]]:
    return [(name, module) for name, module in [*sys.modules.items()] if name.startswith(_ENGINE)]


def _functions_of_engine() -> Iterator[tuple]:
    for module_name, module in _engine_modules():
        for name, item in [*vars(module).items()]:
            if isinstance(item, FunctionType | type):
                yield vars(module), name, item
            if isinstance(item, type) and item.__module__ == module_name:
                methods = FunctionType | property | classmethod | staticmethod
                for key, method in [*vars(item).items()]:
                    if isinstance(method, methods):
                        yield vars(item), key, method


def _called_functions() -> Iterator[tuple]:
    for owner, names in _CALLED:
        yield from ((vars(owner), name, vars(owner)[name]) for name in names if name in vars(owner))


def _modules() -> Iterator[tuple]:
    yield from ((sys.modules, name, module) for name, module in _engine_modules())
