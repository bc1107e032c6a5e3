"""Asks a function in a process of its own, which is ended when the function takes too long."""

import multiprocessing
import os
import sys
import threading
import traceback

from lessons.checking.runner import put_an_end_to, start_child

_PATIENCE = 30  # seconds: a child keeps its own limit, but a busy machine may draw out its start


class NoAnswer(Exception):
    """The process has ended without an answer, or did not end."""


def ask_apart(function, *args):
    """What `function(answer, *args)` calls `answer` with, or the exception that it raises.

    The process ends with the first answer, from whichever thread it comes, and takes with it all
    that was started in it. Raises NoAnswer where it dies of itself.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = start_child(_answer, theirs, function, args)
    theirs.close()
    try:
        if not ours.poll(_PATIENCE):
            raise NoAnswer("It has said nothing for too long.")
        kind, value = ours.recv()
    except EOFError:
        raise NoAnswer("Its process has ended in the middle.") from None
    finally:
        put_an_end_to(child)
        ours.close()
    if kind == "raised":
        raise value
    return value


def _answer(pipe, function, args) -> None:
    import lessons.checking.child  # noqa: F401 - sets Django up where no warm process was forked

    if hasattr(os, "setsid"):
        os.setsid()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    once = threading.Lock()

    def answer(value, kind="answer"):
        if once.acquire(blocking=False):
            try:
                pipe.send((kind, value))
            finally:  # also where nobody is left who asked
                os._exit(0)  # past whatever would hang into the exit
        threading.Event().wait()  # another thread is answering, and ends this one too

    try:
        function(answer, *args)
    except Exception as error:
        error.add_note(traceback.format_exc())
        answer(error, "raised")
