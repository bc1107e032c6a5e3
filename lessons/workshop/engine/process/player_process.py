"""A player that is started as a program, not as a copy of the process that judges.

    python -m lessons.workshop.engine.process.player_process DESCRIPTOR

DESCRIPTOR is a socket. Through it comes an Order, then conversations, as session.py sends them. A
copy of the judging process would hold what that process knows, such as models and solutions. This
program knows the Order only.
"""

import gc
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

from lessons.workshop.engine.process.limits import Limits, limit_resources
from lessons.workshop.engine.process.system_calls import refuse_system_calls

STARTED = "started"  # the first report: ["started", whether system calls are refused]


@dataclass(frozen=True)
class Order:
    """What to play, and within which limits. All paths are those that the program sees.

    `target` holds the file, the name in it and the base class. `folder` is for the program's own
    files. `user` is the number of the user and group to become: only root can.
    """

    lesson: str
    target: tuple[str, str, str | None]
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
    from lessons.workshop.course.lesson_index import find
    from lessons.workshop.engine.process.child_process import send_data, set_up_django
    from lessons.workshop.engine.process.served_player import run_player
    from lessons.workshop.engine.process.target import Target

    set_up_django()
    _load_what_plays()
    if order.user is not None:
        os.setgroups([])
        os.setresgid(order.user, order.user, order.user)
        os.setresuid(order.user, order.user, order.user)
    send_data(pipe, [STARTED, refuse_system_calls()])
    file, name, base = order.target
    target = Target("submission", Path(file), name, base)
    gc.enable()
    run_player(pipe, find(order.lesson), target, order.timeout, order.folder)


def _load_what_plays() -> None:
    """Import all that a conversation needs: later, another user may not read it."""
    import_module("lessons.workshop.engine.process.conversation_run")
    import_module("lessons.workshop.engine.world.database")
    import_module("lessons.workshop.engine.world.clock").load_time_machine()


def _close_standard_streams() -> None:
    """Point descriptors 0, 1 and 2 to /dev/null: what is printed is kept in the transcript."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _receive_order(pipe: Connection) -> Order:
    from lessons.workshop.engine.process.child_process import receive_data

    data = receive_data(pipe)
    return Order(**{**data, "limits": Limits(**data["limits"])})


if __name__ == "__main__":
    main()
