"""The messages between the workshop and the process that serves a student's code.

They are tuples, packed as in lessons.workshop.engine.process.data: nothing from the
child is unpickled. The first item is the kind. `number` is the number of a connection.

To the child:

    connect, number, scope, account, rows      a client connects; rows: of its login
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

import asyncio
import os
import queue
import socket
import struct
import threading
from typing import Any

from lessons.workshop.engine.process.data import (
    UnreadableData,
    object_like,
    packed,
    unpacked,
)

MAX_SIZE = 16 * 1024 * 1024  # bytes of one message
_SIZE = struct.Struct("!I")


class MessageTooLarge(ValueError):
    """A message of more than MAX_SIZE bytes."""

    def __init__(self, size: int):
        limit = f"{MAX_SIZE // 1024**2} MiB"
        super().__init__(f"The workshop passes on at most {limit}, and this is {size:,} bytes.")


def write_message(*message: Any) -> bytes:
    """The message as it crosses the socket."""
    data = packed(message, object_like)
    if len(data) > MAX_SIZE:
        raise MessageTooLarge(len(data))
    return _SIZE.pack(len(data)) + data


async def read_message(reader: asyncio.StreamReader) -> tuple[tuple, int]:
    """The next message, and its size in bytes.

    Raises EOFError or OSError at the end, UnreadableData, and MessageTooLarge.
    """
    (size,) = _SIZE.unpack(await reader.readexactly(_SIZE.size))
    if size > MAX_SIZE:
        raise MessageTooLarge(size)
    data = await reader.readexactly(size)
    try:
        message = unpacked(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableData(str(error)) from None
    if not isinstance(message, tuple) or not message:
        raise UnreadableData(f"{message!r} is not a message")
    return message, size


class ChildEnd:
    """The child's end of the socket. Any thread may send."""

    def __init__(self, connection: socket.socket):
        self._socket = connection
        self._socket.setblocking(True)
        self._file = connection.makefile("rb")
        self._sending = threading.Lock()
        self._asking = threading.Lock()
        self._answers: queue.SimpleQueue = queue.SimpleQueue()

    def send(self, *message: Any) -> None:
        """Send a message. Ends the process if the workshop has ended. Raises MessageTooLarge."""
        data = write_message(*message)
        with self._sending:
            self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            os._exit(0)

    def ask(self, *message: Any) -> Any:
        """Send a message and wait for the answer, in this thread.

        Daphne's own send() does not let other tasks run either.
        """
        with self._asking:
            self.send(*message)
            return self._answers.get()

    def answer(self, value: Any) -> None:
        """Give the thread that asks its answer."""
        self._answers.put(value)

    def receive(self) -> tuple:
        """The next message. Ends the process if the workshop has ended."""
        try:
            head = self._file.read(_SIZE.size)
            data = self._file.read(_SIZE.unpack(head)[0])
        except (OSError, struct.error):
            os._exit(0)
        return unpacked(data)
