"""Blocking sleep that is played in less time than it takes; the clock shows all of it.

What waits in a thread is played in the order in which it waits, so no other order comes of it.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from lessons.simulator.loop import ObservedLoop

FASTER = 20  # times


@contextmanager
def dozing(loop: ObservedLoop, subject) -> Iterator[None]:
    """Within it, time.sleep() is shorter for all, and for the module of `subject` by its name."""
    usual = time.sleep

    def sleep(seconds: float) -> None:
        end = loop.moment() + seconds
        usual(seconds / FASTER)
        loop.be_past(end)

    with sleep_replaced(sleep, subject):
        yield


@contextmanager
def sleep_replaced(sleep: Callable[[float], None], subject) -> Iterator[None]:
    """Within it, `sleep` is time.sleep, also under a name of its own in the module of `subject`."""
    module = sys.modules.get(getattr(subject, "__module__", ""))
    own_names = vars(module) if module else {}
    replaced = {name: sleep for name, item in own_names.items() if item is time.sleep}
    with mock.patch("time.sleep", sleep), mock.patch.dict(own_names, replaced):
        yield
