"""One simulated clock: for the loop, for the time module, for the calendar and for threads."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime
from time import time_ns

import pytest
from django.core.cache import cache
from django.utils import timezone

from lessons.workshop.engine.scheduling.clock import BEGINNING
from lessons.workshop.engine.scheduling.loop import EPOCH, SimulatedLoop
from lessons.workshop.engine.world.cache import fresh_cache

PROGRAM = [sys.executable, "-c", ""]


def run(coroutine, seed=0):
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(seed)) as runner:
        return runner.run(coroutine)


def now():
    return asyncio.get_running_loop().elapsed()


# utcnow() is deprecated since Python 3.12, and students' files may use it.
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")
def test_every_clock_follows_the_loop():
    def read():
        from time import monotonic, perf_counter_ns  # as a student's file, which is imported again

        return [
            time.monotonic() - EPOCH,
            monotonic() - EPOCH,
            time.monotonic_ns() / 1e9 - EPOCH,
            time.perf_counter() - EPOCH,
            perf_counter_ns() / 1e9 - EPOCH,
            time.time() - BEGINNING.timestamp(),
            time_ns() / 1e9 - BEGINNING.timestamp(),
            (datetime.now(UTC) - BEGINNING).total_seconds(),
            (datetime.utcnow().replace(tzinfo=UTC) - BEGINNING).total_seconds(),
            (timezone.now() - BEGINNING).total_seconds(),
        ]

    async def main():
        first = read()
        await asyncio.sleep(3600)
        return first, await asyncio.to_thread(read), date.today()

    assert run(main()) == ([0.0] * 10, [3600.0] * 10, date(2026, 1, 1))


def test_the_usual_clocks_come_back():
    def functions():
        return time.sleep, time.monotonic, threading.Condition.wait, os.system, time.time

    before, begun = functions(), time.time()
    run(asyncio.sleep(10**9))
    assert functions() == before
    assert 0 <= time.time() - begun < 60


def wait_for_condition():
    with (condition := threading.Condition()):
        condition.wait_for(lambda: False, 2)


def wait_for_result():
    with suppress(TimeoutError):
        Future().result(timeout=2)


@pytest.mark.parametrize("in_thread", [True, False])
@pytest.mark.parametrize(
    "wait",
    [
        lambda: threading.Event().wait(2),
        wait_for_condition,
        wait_for_result,
        lambda: time.sleep(2),
    ],
)
def test_a_timed_wait_takes_its_simulated_time(wait, in_thread):
    async def main():
        await asyncio.to_thread(wait) if in_thread else wait()
        return now()

    assert run(main()) == 2.0


# The loop's own thread


def blocked(call):
    """The time that passed, and what was noted: the text and the handler."""

    async def main():
        call()
        noted = asyncio.get_running_loop().blocking_calls
        return now(), [(fault.detail, fault.handler) for fault in noted]

    return run(main())


def bake():
    time.sleep(2)


def wait_for_bread():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(bake).result()


def connect():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def ask_cache():
    with fresh_cache():
        cache.get("a")


@pytest.mark.parametrize(
    ("call", "name", "seconds"),
    [
        (bake, "time.sleep", 2),
        (wait_for_bread, "Future.result", 2),
        # What waits for another program takes real time.
        (lambda: subprocess.run(PROGRAM), "Popen.wait", None),
        (lambda: os.system("exit"), "os.system", None),
        (lambda: os.popen("exit").close(), "os.popen", None),
        (connect, "socket.connect", None),
        (ask_cache, "cache.get", None),
    ],
)
def test_a_wait_on_the_loop_is_a_fault_of_the_coroutine_that_could_await(call, name, seconds):
    passed, noted = blocked(call)
    duration = f" for {seconds} s" if seconds else ""
    assert noted[0] == (f"{name} blocked the event loop{duration}.", "blocked.<locals>.main")
    assert passed == (seconds or 0)


def test_calls_that_do_not_block_are_not_noted():
    async def main():
        time.sleep(0)  # noqa: ASYNC251
        threading.Event().wait(0)
        threading.Lock().acquire()
        process = subprocess.Popen(PROGRAM)  # noqa: ASYNC220 - it does not wait
        with suppress(subprocess.TimeoutExpired):
            process.wait(0)
        await asyncio.to_thread(process.wait)
        process.wait()
        if os.name != "nt":
            assert await (await asyncio.create_subprocess_exec(*PROGRAM)).wait() == 0
        with socket.create_server(("127.0.0.1", 0)) as server:
            _, writer = await asyncio.open_connection(*server.getsockname())
            writer.close()
            await writer.wait_closed()
        return asyncio.get_running_loop().blocking_calls

    assert run(main()) == []
