"""The program that plays one submission in a sandbox:

    python -m lessons.workshop.grading.player_program DESCRIPTOR

DESCRIPTOR is a socket. Through it comes an Order, then conversations. The program knows nothing
else: a fork of the judging process would also hold models and solutions.
"""

import gc
import os
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection

from lessons.workshop.engine.process.child_process import set_up_django
from lessons.workshop.engine.process.data import read_dataclass, receive_data, send_data
from lessons.workshop.engine.process.player_process import run_player, set_up
from lessons.workshop.engine.scheduling.clock import load_time_machine
from lessons.workshop.engine.subject import Subject
from lessons.workshop.grading.system_calls import refuse_system_calls
from lessons.workshop.setup.limits import Limits, limit_resources


@dataclass(frozen=True)
class Order:
    """What the program plays, and within which limits. All paths are those that it sees.

    `folder` is for its own files. `user` is the number of the user and group that root becomes.
    """

    subject: Subject
    timeout: float
    folder: str
    limits: Limits
    user: int | None


def main() -> None:
    gc.disable()  # what is made by an import is no garbage; run_player() enables the collector
    pipe = Connection(int(sys.argv[1]))
    os.dup2(1, 2)  # to /dev/null: what is printed is kept in the report
    order = read_dataclass(Order, receive_data(pipe))
    limit_resources(order.limits)
    set_up_django()
    load_time_machine()  # later, another user may not read it
    if order.user is not None:
        os.setgroups([])
        os.setresgid(order.user, order.user, order.user)
        os.setresuid(order.user, order.user, order.user)
    refuse_system_calls()
    send_data(pipe, "started")
    set_up(order.folder)
    run_player(pipe, order.subject, order.timeout)


if __name__ == "__main__":
    main()
