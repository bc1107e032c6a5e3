"""What a consumer does and remembers, for the pages: its line, and its attributes as texts."""

import asyncio
import reprlib
import sys
from collections.abc import Iterator
from itertools import islice
from traceback import walk_stack
from types import FrameType

from channels.consumer import AsyncConsumer

MAX_FRAMES = 8  # between the call that reads an event's type and the consumer's dispatch()
MAX_ATTRIBUTES = 40
# What Channels itself sets on a consumer.
_OF_CHANNELS = {"scope", "channel_layer", "channel_name", "channel_receive", "base_send", "groups"}
_EXACT = (type(None), bool, int, float)


class _ShortRepr(reprlib.Repr):
    """Literals of plain values, cut to a short size. Any other object is only its type."""

    def __init__(self):
        super().__init__()
        self.maxlevel, self.maxstring, self.maxlong = 3, 60, 40
        self.maxlist = self.maxtuple = self.maxset = self.maxdict = self.maxdeque = 6

    def repr1(self, x, level):
        return repr(x) if type(x) in _EXACT else super().repr1(x, level)

    def repr_bytes(self, x, level):
        return repr(x if len(x) <= self.maxstring else x[: self.maxstring - 3] + b"...")

    def repr_instance(self, x, level):
        return f"<{type(x).__name__}>"


_short = _ShortRepr()


def consumer_on_stack() -> AsyncConsumer | None:
    """The consumer whose method is running in this thread; None if it is too far up the stack."""
    for frame, _ in islice(walk_stack(sys._getframe(1)), MAX_FRAMES):
        if isinstance(found := frame.f_locals.get("self"), AsyncConsumer):
            return found
    return None


def running_line(consumer: AsyncConsumer, thread: int | None, task: asyncio.Task) -> int | None:
    """The innermost line of the consumer's file that runs here, or in its handler's `thread`.

    A handler that awaits a thread runs in neither. Then it is the line at which its `task` waits.
    """
    file = getattr(sys.modules.get(type(consumer).__module__), "__file__", None)
    for innermost in filter(None, (sys._getframe(1), sys._current_frames().get(thread))):
        for frame, line in walk_stack(innermost):
            if frame.f_code.co_filename == file:
                return line
    own = [it.f_lineno for it in waiting_frames(task) if it.f_code.co_filename == file]
    return own[-1] if own else None


def waiting_frames(task: asyncio.Task) -> Iterator[FrameType]:
    """The frames of the coroutines in which a task waits, the outermost one first."""
    waiting = task.get_coro()
    while waiting is not None:
        if frame := getattr(waiting, "cr_frame", None):
            yield frame
        waiting = getattr(waiting, "cr_await", None)


def attributes_of(consumer: AsyncConsumer) -> dict[str, str]:
    """The attributes that the consumer's own code has set, on `self` and on its classes.

    `{"count": "3", "Counter.total": "7"}`: plain values as literals, other objects as their type.
    An attribute of a class has the name of the class before it.
    """
    own = {name: value for name, value in vars(consumer).copy().items() if name not in _OF_CHANNELS}
    found = dict(own)
    for owner in type(consumer).__mro__:
        if owner.__module__.partition(".")[0] in ("channels", "builtins"):
            break
        for name, value in vars(owner).copy().items():
            is_value = not (callable(value) or hasattr(value, "__get__"))
            if is_value and name not in own and not name.startswith("__"):
                found.setdefault(f"{owner.__name__}.{name}", value)
    return {name: _text(value) for name, value in [*found.items()][:MAX_ATTRIBUTES]}


def _text(value) -> str:
    try:
        return _short.repr(value)
    except Exception:  # another thread changes it, or its own code fails
        return f"<{type(value).__name__}>"
