"""The messages between the workshop and the process that serves a student's code.

They are tuples, packed as in lessons.workshop.engine.process.data: nothing from the
child is unpickled. The first item is the kind. `number` is the number of a connection.

To the child:

    connect, number, scope, account, rows      a client connects; rows: logins()
    event, number, message                     an ASGI event for it
    cancel, number                             Daphne has given it up
    answer, error                              how Daphne took the last `send`; None or [name, text]
    ping                                       to be answered by the event loop
    where                                      to be answered by another thread
    outside, step                              take a step that no client takes

From the child:

    started                                    the process runs, and imports the file next
    loaded                                     the file was imported, and clients may connect
    finding, finding, ends                     what is wrong; `ends`: the process ends
    send, number, message                      the code sends it; the child waits for an answer
    recorded, number, event                    an event was recorded; number 0: of a worker
    ended, number, error, traceback            the application has returned, or raised `error`
    pong                                       the answer to ping
    place, line, handler                       the line that the event loop is executing
    said, text                                 the result of a step from outside
"""

from typing import Any

from lessons.workshop.engine.process.data import object_like, packed, unpacked

MAX_SIZE = 16 * 1024 * 1024  # bytes of one message


def pack(message: tuple[Any, ...]) -> bytes:
    """Raises ValueError for a message that is too large."""
    data = packed(message, object_like)
    if len(data) > MAX_SIZE:
        limit = f"{MAX_SIZE // 1024**2} MiB"
        raise ValueError(f"The workshop passes on at most {limit}, and this is {len(data):,}.")
    return data


def unpack(data: bytes) -> tuple[Any, ...]:
    """Raises ValueError or TypeError for what is no message."""
    message = unpacked(data)
    if not isinstance(message, tuple) or not message:
        raise ValueError(f"{message!r} is not a message")
    return message
