"""Runs a function in a child process, which ends with this one or after a time limit."""

import multiprocessing
import os
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import Any

from lessons.workshop.engine.process.child_process import end_child, set_up_django, start_child
from lessons.workshop.engine.process.data import receive_data, send_data

ANSWER_TIMEOUT = 30  # seconds; the child has its own limit, but starts slowly on a busy machine


class NoAnswer(Exception):
    """The child process ended without an answer, or did not answer in time."""


class ChildRaised(Exception):
    """The function in the child process raised an exception; the text is its traceback."""


def run_isolated(function, *args, timeout: float = ANSWER_TIMEOUT) -> Any:
    """Run `function(answer, *args)` in a child process; return what it passes to `answer`.

    The first call of `answer`, from any thread, ends the process and all that it started. The value
    travels as send_data() describes. Raises NoAnswer, or ChildRaised with the function's exception.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = start_child(_run_function, theirs, function, args)
    theirs.close()
    try:
        if not ours.poll(timeout):
            raise NoAnswer(f"Its process sent nothing for {timeout:g} s.")
        kind, value = receive_data(ours)
    except EOFError:
        raise NoAnswer("Its process ended before it answered.") from None
    except (ValueError, TypeError):
        raise NoAnswer("Its process sent something that is not an answer.") from None
    finally:
        end_child(child)
        ours.close()
    if kind == "raised":
        raise ChildRaised(value)
    return value


def _run_function(pipe: Connection, function, args) -> None:
    set_up_django()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    once = threading.Lock()

    def answer(value, kind="answer"):
        if once.acquire(blocking=False):
            try:
                send_data(pipe, [kind, value])
            finally:  # even if the parent process has ended
                os._exit(0)  # without exit handlers: the target's code may block them
        threading.Event().wait()  # another thread is answering, and ends this one too

    try:
        function(answer, *args)
    except Exception:
        answer(traceback.format_exc(), "raised")
