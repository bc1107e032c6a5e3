"""Submissions for lesson 6: each right bakery is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

BEGINNING = """\
import asyncio
import time
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from time import sleep
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer

POOL = ThreadPoolExecutor(4)
ONE = ThreadPoolExecutor(1)
TURN = []


def bake(bread):
    time.sleep(2)
    return f"{bread} is done"


def sleeps(bread):
    sleep(2)
    return f"{bread} is done"


class Bakery(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_receive(self, event):
"""

RIGHT = """
bread = event.get("text")
await self.say(f"baking {bread}")
done = await asyncio.to_thread(bake, bread)
await self.say(done)
"""

BAKE = "await asyncio.to_thread(bake, bread)"
IN_POOL = "asyncio.get_running_loop().run_in_executor"

submissions = Submissions("blocking", BEGINNING, RIGHT)


def test_the_usual_version_is_green():
    assert submissions.verdict().findings == []


@pytest.mark.parametrize(
    ("old", "new"),
    named(
        sync_to_async=(BAKE, "await sync_to_async(bake, thread_sensitive=False)(bread)"),
        own_executor=(BAKE, "await sync_to_async(bake, thread_sensitive=False, "
                            "executor=POOL)(bread)"),
        default_executor=(BAKE, f"await {IN_POOL}(None, bake, bread)"),
        pool=(BAKE, f"await {IN_POOL}(POOL, bake, bread)"),
        lambda_=(BAKE, "await asyncio.to_thread(lambda: bake(bread))"),
        task=(BAKE, "await asyncio.create_task(asyncio.to_thread(bake, bread))"),
        timeout=(BAKE, "await asyncio.wait_for(asyncio.to_thread(bake, bread), 60)"),
        shield=(BAKE, "await asyncio.shield(asyncio.to_thread(bake, bread))"),
        imported_sleep=(BAKE, "await asyncio.to_thread(sleeps, bread)"),
        wrapped_future=(BAKE, "await asyncio.wrap_future(POOL.submit(bake, bread))"),
        polls=(f"done = {BAKE}", "job = POOL.submit(bake, bread)\n"
                                 "while not job.done():\n    await asyncio.sleep(0.05)\n"
                                 "done = job.result()"),
        context=(f"done = {BAKE}", "async with ThreadSensitiveContext():\n"
                                   "    done = await sync_to_async(bake)(bread)"),
        sleeps_a_moment_too=(BAKE, f"{BAKE}; await asyncio.sleep(1)"),
    ),
)  # fmt: skip
def test_a_right_change_stays_green(old, new):
    assert submissions.verdict(old=old, new=new).findings == []


def test_a_context_round_the_whole_connection_is_green():
    call = """\
    async def __call__(self, scope, receive, send):
        async with ThreadSensitiveContext():
            await super().__call__(scope, receive, send)

    async def say"""
    body = RIGHT.strip().replace(BAKE, "await sync_to_async(bake)(bread)")
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    source = BEGINNING.replace("    async def say", call) + lines
    assert submissions.verdict(source=source).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "old", "new"),
    named(
        on_the_loop=("blocked-loop", BAKE, "bake(bread)"),
        time_sleep=("blocked-loop", BAKE, "time.sleep(2) or f'{bread} is done'"),
        imported_sleep=("blocked-loop", BAKE, "sleeps(bread)"),
        in_a_callback=("blocked-loop", BAKE, f"{BAKE}\n{IN_POOL[:26]}.call_soon(bake, bread)"),
        called_and_passed=("blocked-loop", BAKE, "await asyncio.to_thread(bake(bread))"),
        sleeps_before=("blocked-loop", BAKE, f"{BAKE}; time.sleep(0.1)"),
        in_a_task=(
            "blocked-loop",
            BAKE,
            "await asyncio.create_task(self.say('x')); done = bake(bread)",
        ),
        result_of_a_future=("blocked-loop", BAKE, "POOL.submit(bake, bread).result()"),
        join=(
            "blocked-loop",
            BAKE,
            "threading.Thread(target=bake, args=[bread], name='asyncio_x')\n"
            "done.start(); done.join(); done = f'{bread} is done'",
        ),
        default=("work-still-queued", BAKE, "await sync_to_async(bake)(bread)"),
        sensitive=(
            "work-still-queued",
            BAKE,
            "await sync_to_async(bake, thread_sensitive=True)(bread)",
        ),
        database=("work-still-queued", BAKE, "await database_sync_to_async(bake)(bread)"),
        one_worker=("work-still-queued", BAKE, f"await {IN_POOL}(ONE, bake, bread)"),
        another_process=(
            "starts-a-process",
            BAKE,
            f"await {IN_POOL}(ProcessPoolExecutor(1), bake, bread)",
        ),
        only_waits=("work-left-out", BAKE, "await asyncio.sleep(2, f'{bread} is done')"),
        bakes_nothing=("work-left-out", BAKE, "f'{bread} is done'"),
        never_awaited=("never-awaited", BAKE, "asyncio.to_thread(bake, bread)"),
        says_it_late=(
            "no-reply",
            'await self.say(f"baking {bread}")\ndone = ' + BAKE,
            f"done = {BAKE}\n" + 'await self.say(f"baking {bread}")',
        ),
        forgets_the_first_answer=("no-reply", 'await self.say(f"baking {bread}")\n', ""),
        forgets_the_bread=("no-reply", "await self.say(done)", ""),
        awaits_a_string=("blocked-loop", BAKE, "await bake(bread)"),
        shares_the_bread=(
            "wrong-connection",
            f"done = {BAKE}",
            "TURN[:] = [bread]\nawait asyncio.to_thread(bake, bread)\ndone = TURN[0] + ' is done'",
        ),
    ),
)
def test_a_wrong_change_gets_its_diagnosis(diagnosis, old, new):
    assert submissions.verdict(old=old, new=new).diagnosis_ids[:1] == [diagnosis]


def test_a_blocked_loop_names_the_line_that_blocks():
    (finding, *_) = submissions.verdict(old=BAKE, new="time.sleep(2) or 'x'").findings
    lines = (BEGINNING + RIGHT).replace(BAKE, "time.sleep(2) or 'x'").splitlines()
    assert "time.sleep(2) or 'x'" in lines[finding.line - 1]
