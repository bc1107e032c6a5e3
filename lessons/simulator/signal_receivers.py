"""The receivers of Django's signals that a student's file has connected, and no other file's.

A file is run anew for each check, and each run may connect receivers; those of the run before must
not be heard. A worked example's receivers would speak to the student's consumers, too.
"""

import sys
from contextlib import contextmanager
from unittest import mock
from weakref import ReferenceType

from django.conf import settings
from django.contrib.auth import signals as auth
from django.db.models import signals

from lessons.simulator.student_module import LOADED

SIGNALS = (
    *(signals.pre_save, signals.post_save, signals.pre_delete, signals.post_delete),
    signals.m2m_changed,
    *(auth.user_logged_in, auth.user_logged_out, auth.user_login_failed),
)
_DEMOS = ("db_demo", "auth_demo", "layers_demo")

_gone = False  # whether a receiver of the subject's went as soon as it was connected


@contextmanager
def isolated_signals(subject):
    """Within it, of these receivers only the subject's are called, and what its file connects.

    Where its file, or the class, has a `ready`, that is called as AppConfig.ready() is.
    """
    global _gone
    before = [list(signal.receivers) for signal in SIGNALS]
    module = sys.modules[subject.__module__]
    for signal in SIGNALS:
        _put(signal, [entry for entry in signal.receivers if not _is_others(entry, module)])
    try:
        if ready := getattr(subject, "ready", getattr(module, "ready", None)):
            # With DEBUG on, Django looks at a receiver's parameters, remembers them, and with them
            # the receiver: one that nobody keeps would go in production only.
            with mock.patch.object(settings, "DEBUG", False):
                ready()
        _gone = any(_function_of(entry) is None for signal in SIGNALS for entry in signal.receivers)
        yield
    finally:
        for signal, receivers in zip(SIGNALS, before, strict=True):
            _put(signal, receivers)
        disconnect_student_receivers()


def disconnect_student_receivers() -> None:
    """Drop what files of students have connected: the next run of a file connects it anew.

    And what is gone by now, whoever connected it: the next run has not lost it.
    """
    for signal in SIGNALS:
        _put(signal, [entry for entry in signal.receivers if not _is_over(entry)])


def receiver_was_lost() -> bool:
    """Whether nobody has kept a receiver that was connected: Django holds them weakly."""
    return _gone


def _put(signal, receivers: list) -> None:
    with signal.lock:
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


def _is_others(entry, module) -> bool:
    name = _module_of(entry)
    if name.startswith(LOADED):
        return getattr(_function_of(entry), "__globals__", None) is not vars(module)
    app = module.__name__.partition(".")[0]  # a worked example keeps its own
    return name.startswith(_DEMOS) and not name.startswith(f"{app}.")


def _is_over(entry) -> bool:
    return _function_of(entry) is None or _module_of(entry).startswith(LOADED)


def _function_of(entry):
    receiver = entry[1]
    return receiver() if isinstance(receiver, ReferenceType) else receiver


def _module_of(entry) -> str:
    return getattr(_function_of(entry), "__module__", None) or ""
