"""The program that plays one submission in a sandbox:

    python -c PROGRAM DESCRIPTOR

DESCRIPTOR is a socket. Through it comes an Order, then conversations. A forked copy of the judging
process would hold what that process knows, such as models and solutions. This program knows the
Order only.
"""

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

# Nothing that a module makes when it is imported is garbage. run_player() enables the collector.
# The path of the project must not change when set_up() enters another folder.
PROGRAM = f"""
import gc, os, sys
gc.disable()
sys.path[0] = os.getcwd()
from {__name__} import main
main()
"""
STARTED = "started"  # the program's first report: ["started", whether system calls are refused]


@dataclass(frozen=True)
class Order:
    """What the program plays, and within which limits. All paths are those that it sees.

    `folder` is for its own files. `user` is the number of the user and group to become: only root
    can.
    """

    subject: Subject
    timeout: float
    folder: str
    limits: Limits
    user: int | None


def main() -> None:
    pipe = Connection(int(sys.argv[1]))
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # what is printed is kept in the report
        os.dup2(null, descriptor)
    os.close(null)
    order = read_dataclass(Order, receive_data(pipe))
    limit_resources(order.limits)
    set_up_django()
    load_time_machine()  # later, another user may not read it
    if order.user is not None:
        os.setgroups([])
        os.setresgid(order.user, order.user, order.user)
        os.setresuid(order.user, order.user, order.user)
    send_data(pipe, [STARTED, refuse_system_calls()])
    set_up(order.folder)
    run_player(pipe, order.subject, order.timeout)
