"""Sees the calls, besides time.sleep(), that keep their thread waiting for somebody else.

Whether a call does is read off what it was asked for, and off no clock: where a program ends at
once, or a server is near, the mistake is the same.
"""

import os
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from unittest import mock


def _always(*_) -> bool:
    return True


def _is_waited_for(process: subprocess.Popen, timeout=None) -> bool:
    return process.returncode is None and timeout != 0


def _blocks(connection: socket.socket, _address) -> bool:
    return connection.gettimeout() != 0  # asyncio's own sockets have 0


# subprocess.run() and its like end in Popen.wait(), what speaks HTTP begins with connect().
_CALLS = (
    (os, "system", _always),
    (os, "popen", _always),
    (subprocess.Popen, "wait", _is_waited_for),
    (socket.socket, "connect", _blocks),
)


@contextmanager
def told_of_blocking_calls(tell: Callable[[], object]):
    """Within it, whoever makes such a call calls `tell` first, in the same thread."""
    with ExitStack() as stack:
        for owner, name, keeps_waiting in _CALLS:
            told = _told(getattr(owner, name), keeps_waiting, tell)
            stack.enter_context(mock.patch.object(owner, name, told))
        yield


def _told(usual, keeps_waiting, tell):
    def call(*args, **options):
        if keeps_waiting(*args, **options):
            tell()
        return usual(*args, **options)

    return call
