"""Submissions for lesson 7: each right stopwatch is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Stopwatch(AsyncConsumer):
    task = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.task:
                self.task.cancel()

    async def websocket_connect(self, event):
        self.seconds = 0
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.run())

    async def run(self):
        while True:
            await asyncio.sleep(1)
            self.seconds += 1
            await self.send({"type": "websocket.send", "text": f"{self.seconds}"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": f"{self.seconds} so far"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""

CALL = RIGHT[RIGHT.index("    task = None") : RIGHT.index("    async def websocket_connect")]
START = "        self.task = asyncio.create_task(self.run())\n"
RUN = RIGHT[RIGHT.index("    async def run") : RIGHT.index("    async def websocket_receive")]
CANCEL = "                self.task.cancel()\n"
STOP = "        raise StopConsumer()\n"

submissions = Submissions("push", "", RIGHT)


GROUP = """\
    async def __call__(self, scope, receive, send):
        async with asyncio.TaskGroup() as self.tasks:
            try:
                await super().__call__(scope, receive, send)
            finally:
                for task in self.started:
                    task.cancel()

    started = ()

"""

TIMER = """\
    handle = None

    async def __call__(self, scope, receive, send):
        self.sends = set()
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.handle:
                self.handle.cancel()
            for sending in self.sends:
                sending.cancel()

    def run(self):
        self.handle = asyncio.get_running_loop().call_later(1, self.tick)

    def tick(self):
        self.run()
        self.seconds += 1
        reply = {"type": "websocket.send", "text": str(self.seconds)}
        self.sends.add(asyncio.create_task(self.send(reply)))

"""

CALLBACK = """\
        asyncio.current_task().add_done_callback(lambda _: self.task.cancel())
"""


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        waits_for_it=([(CANCEL, CANCEL + " " * 16 + "await asyncio.wait([self.task])\n")],),
        gathers_it=(
            [
                (
                    CANCEL,
                    CANCEL + " " * 16 + "await asyncio.gather(self.task, return_exceptions=True)\n",
                )
            ],
        ),
        cancels_on_disconnect_too=([(STOP, "        self.task.cancel()\n" + STOP)],),
        ensures_a_future=([("asyncio.create_task(", "asyncio.ensure_future(")],),
        asks_the_loop=([("asyncio.create_task(", "asyncio.get_running_loop().create_task(")],),
        starts_before_the_accept=(
            [
                (START, ""),
                ("        self.seconds = 0\n", "        self.seconds = 0\n" + START),
            ],
        ),
        in_a_task_group=(
            [
                (CALL, GROUP),
                (
                    START,
                    "        self.started = [self.tasks.create_task(self.run())]\n",
                ),
            ],
        ),
        with_a_timer=([(CALL, TIMER), (RUN, ""), (START, "        self.run()\n")],),
        through_a_done_callback=([(CALL, ""), (START, START + CALLBACK)],),
        through_an_event_that_times_out=(
            [
                (
                    "            await asyncio.sleep(1)\n",
                    "            try:\n"
                    "                await asyncio.wait_for(asyncio.Event().wait(), 1)\n"
                    "            except TimeoutError:\n"
                    "                pass\n",
                )
            ],
        ),
        by_the_clock_of_the_loop=(
            [
                (
                    "            await asyncio.sleep(1)\n",
                    "            loop = asyncio.get_running_loop()\n"
                    "            due = self.__dict__.setdefault('began', loop.time())\n"
                    "            await asyncio.sleep(due + self.seconds + 1 - loop.time())\n",
                )
            ],
        ),
        says_something_at_its_end=(
            [
                (
                    "        while True:\n",
                    "        while await self.ticks():\n            continue\n\n"
                    "    async def ticks(self):\n        if True:\n",
                ),
                (
                    'f"{self.seconds}"})\n',
                    'f"{self.seconds}"})\n            return True\n',
                ),
            ],
        ),
    ),
)
def test_a_right_version_is_green(changes):
    assert submissions.changed(*changes).findings == []


def guarded(clause, do):
    return (
        "        while True:\n            await asyncio.sleep(1)\n",
        "        while True:\n            try:\n                await asyncio.sleep(1)\n"
        f"            except {clause}:\n                {do}\n",
    )


@pytest.mark.parametrize(
    ("changes", "diagnosis"),
    named(
        never_starts=([(START, "")], "no-push"),
        starts_and_waits=([(START, START + "        await self.task\n")], "loop-in-handler"),
        hands_over_the_function=([("(self.run())", "(self.run)")], "exception"),
        forgets_the_brackets_twice=([(START, "        self.task = self.run\n")], "no-push"),
        forgets_to_send=(
            [('await self.send({"type": "websocket.send", "text": f"{self.seconds}"})', "pass")],
            "no-push",
        ),
        sleeps_too_long=([("sleep(1)", "sleep(2)")], "no-push"),
        sleeps_too_short=([("sleep(1)", "sleep(0.5)")], "pushed-too-fast"),
        counts_from_nought=([("self.seconds = 0", "self.seconds = -1")], "reply-differs"),
        starts_twice=([(START, START + START)], "pushed-too-fast"),
        two_tasks_from_the_second_frame=(
            [
                (
                    "    async def websocket_receive(self, event):\n",
                    "    async def websocket_receive(self, event):\n        if self.seconds:\n    "
                    + START,
                )
            ],
            "pushed-too-fast",
        ),
        no_call=([(CALL, "")], "task-left-behind"),
        cancels_without_brackets=([("self.task.cancel()", "self.task.cancel")], "task-left-behind"),
        forgets_the_task=([("self.task.cancel()", "self.task = None")], "task-left-behind"),
        deletes_the_task=(
            [(CALL, ""), (STOP, "        del self.task\n" + STOP)],
            "task-left-behind",
        ),
        cancels_on_disconnect_alone=(
            [(CALL, ""), (STOP, "        self.task.cancel()\n" + STOP)],
            "cleanup-skipped",
        ),
        cancels_in_finally_of_disconnect=(
            [
                (CALL, ""),
                (
                    STOP,
                    "        try:\n            pass\n        finally:\n"
                    "            self.task.cancel()\n" + STOP,
                ),
            ],
            "cleanup-skipped",
        ),
        cancels_afterwards=(
            [
                (
                    "        try:\n            await super",
                    "        if True:\n            await super",
                ),
                ("        finally:\n", "        if True:\n"),
            ],
            "cleanup-skipped",
        ),
        cleans_up_after_an_exception_alone=(
            [
                (CALL, CALL.replace("finally:", "except Exception:")),
                (STOP, "        self.task.cancel()\n" + STOP),
            ],
            "cleanup-skipped",
        ),
        cleans_up_after_a_kill_alone=(
            [
                (CALL, CALL.replace("finally:", "except asyncio.CancelledError:")),
                (STOP, "        self.task.cancel()\n" + STOP),
            ],
            "cleanup-skipped",
        ),
        leaves_a_timer=(
            [
                (CALL, TIMER.replace("self.handle.cancel()", "pass")),
                (RUN, ""),
                (START, "        self.run()\n"),
            ],
            "task-left-behind",
        ),
        asks_for_no_task=([("            if self.task:\n    ", "")], "cleanup-raises"),
        awaits_what_it_cancelled=(
            [(CANCEL, CANCEL + " " * 16 + "await self.missing\n")],
            "exception",
        ),
        catches_all=([guarded("BaseException", "pass")], "cancel-swallowed"),
        catches_the_cancellation=(
            [guarded("asyncio.CancelledError", "continue")],
            "cancel-swallowed",
        ),
        waits_for_one_that_catches_all=(
            [
                guarded("BaseException", "pass"),
                (CANCEL, CANCEL + " " * 16 + "await asyncio.wait([self.task])\n"),
            ],
            "cancel-swallowed",
        ),
        raises_in_its_task=([("self.seconds += 1", "self.second += 1")], "task-died"),
        sends_a_number=([('f"{self.seconds}"', "self.seconds")], "payload-not-text"),
        shares_the_seconds=([("self.seconds", "type(self).seconds")], "wrong-connection"),
        answers_from_the_task=(
            [
                (
                    '        await self.send({"type": "websocket.send", '
                    '"text": f"{self.seconds} so far"})',
                    "        self.asked = True",
                )
            ],
            "no-reply",
        ),
        has_no_stop=([("raise StopConsumer()", "pass")], "no-stop-consumer"),
    ),
)
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert [diagnosis] == submissions.changed(*changes).diagnosis_ids[:1]
