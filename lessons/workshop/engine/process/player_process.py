"""A player that is started as a program, not as a copy of the process that judges.

    python -m MODULE DESCRIPTOR

DESCRIPTOR is a socket. Through it comes an Order, then conversations, as session.py sends them. A
copy of the judging process would hold what that process knows, such as models and solutions. This
program knows the Order only.
"""

import gc
import os
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

from lessons.workshop.engine.process.limits import Limits, limit_resources
from lessons.workshop.engine.process.system_calls import refuse_system_calls
from lessons.workshop.engine.subject import Subject

STARTED = "started"  # the first report: ["started", whether system calls are refused]


@dataclass(frozen=True)
class Order:
    """What to play, and within which limits. All paths are those that the program sees.

    `folder` is for the program's own files. `user` is the number of the user and group to become:
    only root can.
    """

    subject: Subject
    timeout: float
    folder: str
    limits: Limits
    user: int | None


def main() -> None:
    gc.disable()  # while modules are imported there is almost nothing to collect
    pipe = Connection(int(sys.argv[1]))
    _close_standard_streams()
    order = _receive_order(pipe)
    limit_resources(order.limits)
    from lessons.workshop.engine.process.child_process import set_up_django
    from lessons.workshop.engine.process.data import send_data
    from lessons.workshop.engine.process.served_player import run_player

    set_up_django()
    _load_what_plays()
    if order.user is not None:
        os.setgroups([])
        os.setresgid(order.user, order.user, order.user)
        os.setresuid(order.user, order.user, order.user)
    send_data(pipe, [STARTED, refuse_system_calls()])
    gc.enable()
    run_player(pipe, order.subject, order.timeout, order.folder)


def _load_what_plays() -> None:
    """Import all that a conversation needs: later, another user may not read it."""
    from lessons.workshop.engine.process import conversation  # noqa: F401
    from lessons.workshop.engine.world import clock, database  # noqa: F401

    clock.load_time_machine()


def _close_standard_streams() -> None:
    """Point descriptors 0, 1 and 2 to /dev/null: what is printed is kept in the transcript."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _receive_order(pipe: Connection) -> Order:
    from lessons.workshop.engine.process.data import read_dataclass, receive_data

    return read_dataclass(Order, receive_data(pipe))


if __name__ == "__main__":
    main()
