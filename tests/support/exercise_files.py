"""Saves a student's exercise while a judge watches it; an exercise that kills the judge."""

# A C library sends the signal. After the judge has ended, the parent
# of a second player is the process that adopted it: the player must not kill that process.
KILLS_THE_JUDGE = """\
import ctypes, multiprocessing
ctypes.CDLL(None).kill(multiprocessing.parent_process().pid, 9)
"""


def save(exercise, text):
    """Save the exercise in one step. Between two steps, an empty file could be judged."""
    new = exercise.with_name("new.py")
    new.write_text(text, encoding="utf-8")
    new.replace(exercise)
