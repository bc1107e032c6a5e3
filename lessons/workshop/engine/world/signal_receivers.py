"""Connects Django's signals only to the receivers of one student's file.

Every check imports the file again, and each import may connect receivers. The receivers of the
previous import must not be called. The receivers of the project's apps must not be called either:
they would send to the student's consumers.
"""

import inspect
import sys
from contextlib import contextmanager
from itertools import compress
from unittest import mock
from weakref import ReferenceType

from django.conf import settings
from django.contrib.auth import signals as auth
from django.db.models import signals

from ..faults.finding import SourceFile
from . import STUDENT_PACKAGE

SIGNALS = {
    "pre_save": signals.pre_save,
    "post_save": signals.post_save,
    "pre_delete": signals.pre_delete,
    "post_delete": signals.post_delete,
    "m2m_changed": signals.m2m_changed,
    "user_logged_in": auth.user_logged_in,
    "user_logged_out": auth.user_logged_out,
    "user_login_failed": auth.user_login_failed,
}


@contextmanager
def isolated_signals(loaded):
    """Within it, signals only reach the subject's receivers and those that its file connects.

    If the file has a function `ready`, or the class a class method, it is called as
    AppConfig.ready() is. Yields the names of the signals of which a receiver was freed right after
    it was connected: Django keeps weak references. Raises CheckFailed if `ready` fails: then a
    server does not start.
    """
    module = sys.modules[loaded.__module__]
    own = {"django", "channels", module.__name__.partition(".")[0]}
    try:
        with receivers_unchanged():
            _keep(lambda package: package in own)
            if ready := _ready_of(loaded, module):
                # With DEBUG on, Django inspects each receiver and caches the result, so it keeps
                # the receiver alive. In production, one that only Django refers to would vanish.
                with mock.patch.object(settings, "DEBUG", False):
                    try:
                        ready()
                    except Exception as error:
                        raise SourceFile(module.__file__).failure("import-error", error) from error
            yield [
                name
                for name, signal in SIGNALS.items()
                if any(_function_of(entry) is None for entry in signal.receivers)
            ]
    finally:
        disconnect_student_receivers()


def _ready_of(loaded, module):
    """The function to call; None if `ready` means something else to the file."""
    own, of_file = getattr(loaded, "ready", None), getattr(module, "ready", None)
    if inspect.ismethod(own):
        return own
    is_ready = inspect.isfunction(of_file) and not inspect.signature(of_file).parameters
    return of_file if is_ready else None


@contextmanager
def receivers_unchanged():
    """What is connected within it is connected in another process: it is not called here."""
    before = [list(signal.receivers) for signal in SIGNALS.values()]
    try:
        yield
    finally:
        for signal, receivers in zip(SIGNALS.values(), before, strict=True):
            _set_receivers(signal, receivers)


def disconnect_student_receivers() -> None:
    """Disconnect the receivers of students' files: the next import of a file connects them again.

    This also removes receivers that were freed, so the next check does not count them as lost.
    """
    _keep(lambda package: package not in ("", STUDENT_PACKAGE))


def _keep(is_wanted) -> None:
    """Disconnect every other receiver: `is_wanted` is called with the name of its package.

    A receiver that was freed has the package "".
    """
    for signal in SIGNALS.values():
        modules = [getattr(_function_of(it), "__module__", None) or "" for it in signal.receivers]
        wanted = [is_wanted(module.partition(".")[0]) for module in modules]
        _set_receivers(signal, [*compress(signal.receivers, wanted)])


def _set_receivers(signal, receivers: list) -> None:
    with signal.lock:
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


def _function_of(entry):
    receiver = entry[1]
    return receiver() if isinstance(receiver, ReferenceType) else receiver
