"""Reads single key presses without blocking for long. Without a terminal, no key is pressed."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

QUIT_KEY = "q"  # the key to quit; a closed terminal counts as this key


@contextmanager
def keyboard(console) -> Iterator[Callable[[float], str]]:
    """Yield a function that waits some seconds for a key and returns the key, or "".

    The terminal does not echo keys. Its settings are restored at the end. Ctrl-C still raises
    KeyboardInterrupt. An arrow or function key arrives as several keys without small letters.
    """
    if not (console.is_terminal and sys.stdin.isatty()):
        yield _no_key
    elif os.name == "nt":
        yield _windows_key
    else:
        with _single_keys(sys.stdin.fileno()) as key:
            yield key


def _no_key(seconds: float) -> str:
    time.sleep(seconds)
    return ""


@contextmanager
def _single_keys(terminal: int) -> Iterator[Callable[[float], str]]:
    import select
    import signal
    import termios
    import tty

    def key(seconds: float) -> str:
        if not select.select([terminal], [], [], seconds)[0]:
            return ""
        try:
            pressed = os.read(terminal, 1)
        except OSError:
            return QUIT_KEY
        return pressed.decode(errors="replace") if pressed else QUIT_KEY

    def read_single_keys(*_):
        tty.setcbreak(terminal, termios.TCSANOW)

    before = termios.tcgetattr(terminal)
    # A shell that continues this process after Ctrl-Z has changed the settings.
    signal.signal(signal.SIGCONT, read_single_keys)
    try:
        read_single_keys()
        yield key
    finally:
        signal.signal(signal.SIGCONT, signal.SIG_DFL)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _windows_key(seconds: float) -> str:
    import msvcrt

    until = time.monotonic() + seconds
    while not msvcrt.kbhit():
        if time.monotonic() >= until:
            return ""
        time.sleep(min(seconds, 0.01))
    return msvcrt.getwch()
