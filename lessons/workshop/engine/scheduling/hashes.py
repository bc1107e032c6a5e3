"""Gives objects hashes that do not depend on their memory address.

Python hashes an object that equals only itself by its address, and iterates over a set in the order
of hashes. So a student's code that closes a set of connections would close another one first in
each run. Here such objects get numbers when they are hashed first, and the seed decides which order
follows from the numbers. A verdict is the same each time.

Tasks and futures of a SimulatedLoop are numbered, too. What Python hashes without asking a class
keeps its address: functions, bound methods, coroutines.
"""

import asyncio
import itertools
import queue
import random
import threading
import weakref
from types import ModuleType

_numbers = itertools.count(1)
_factor = 1
# By the id of a living object. A student could see an attribute.
_hashes: dict[int, tuple[weakref.ref, int]] = {}


def number_hashes(seed: int) -> None:
    """Begin again at 1. With another seed than 0, a set has another order than the numbers."""
    global _numbers, _factor
    _numbers = itertools.count(1)
    _factor = random.Random(seed).getrandbits(61) | 1 if seed else 1


def numbered_hash(self) -> int:
    """What replaces object.__hash__."""
    if known := _hashes.get(key := id(self)):
        return known[1]
    try:
        reference = weakref.ref(self, lambda _: _hashes.pop(key))
    except TypeError:  # a class with __slots__
        return object.__hash__(self)
    value = next(_numbers) * _factor % 2**61
    _hashes[key] = reference, value
    return value


def number_hashes_of(module: ModuleType) -> None:
    """Number the objects of the classes that the module defines, unless they define a hash."""
    for item in [*vars(module).values()]:
        is_own = isinstance(item, type) and item.__module__ == module.__name__
        if is_own and item.__hash__ is object.__hash__:
            item.__hash__ = numbered_hash


class Task(asyncio.Task):
    __slots__ = ()
    __hash__ = numbered_hash


class NumberedFuture(asyncio.Future):
    __slots__ = ()
    __hash__ = numbered_hash


_usual_as_completed = asyncio.as_completed


def _as_completed(fs, *, timeout=None):
    """Python makes tasks of coroutines in the order of a set of them."""
    return _usual_as_completed([*map(asyncio.ensure_future, fs)], timeout=timeout)


_NUMBERED = (
    *(asyncio.Queue, asyncio.Event, asyncio.Lock, asyncio.Condition, asyncio.Semaphore),
    *(queue.Queue, threading.Event),
)
# Only for a process that does nothing but play: an object must not change its hash.
PATCHES = (
    *((kind, "__hash__", numbered_hash) for kind in _NUMBERED),
    (asyncio, "as_completed", _as_completed),
)
