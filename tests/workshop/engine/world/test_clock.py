"""One simulated clock: for the loop, for the time module, for the calendar and for threads."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from datetime import datetime as imported_datetime
from time import time_ns

import pytest
from django.core.cache import cache
from django.utils import timezone

from lessons.workshop.engine.world.cache import fresh_cache
from lessons.workshop.engine.world.clock import BEGINNING, simulated_clock
from lessons.workshop.engine.world.loop import EPOCH, SimulatedLoop


@contextmanager
def simulation(seed=0):
    """A loop whose clock all code sees."""
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(seed)) as runner:
        loop = runner.get_loop()
        with simulated_clock(loop):
            loop.run = runner.run
            yield loop


def run(coroutine, seed=0):
    with simulation(seed) as loop:
        return loop.run(coroutine)


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
            (imported_datetime.utcnow().replace(tzinfo=UTC) - BEGINNING).total_seconds(),
            (timezone.now() - BEGINNING).total_seconds(),
        ]

    async def main():
        first = read()
        await asyncio.sleep(3600)
        return first, await asyncio.to_thread(read), date.today()

    first, later, today = run(main())
    assert first == [0.0] * 10
    assert later == [3600.0] * 10
    assert today == date(2026, 1, 1)


def test_the_usual_clocks_come_back():
    before = (time.sleep, time.monotonic, threading.Lock, threading.Condition.wait, time.time())
    run(asyncio.sleep(10**9))
    after = (time.sleep, time.monotonic, threading.Lock, threading.Condition.wait, time.time())
    assert after[:4] == before[:4]
    assert 0 <= after[4] - before[4] < 60


async def slow(executor, seconds=2):
    loop = asyncio.get_running_loop()
    begun = now()
    await loop.run_in_executor(executor, time.sleep, seconds)
    return begun, now()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_two_slow_calls_overlap_only_on_two_threads(seed):
    async def main(threads):
        with ThreadPoolExecutor(threads) as pool:
            return await asyncio.gather(slow(pool), slow(pool))

    assert run(main(2), seed) == [(0, 2), (0, 2)]
    assert run(main(1), seed) == [(0, 2), (0, 4)]


def timed_waits():
    never = threading.Event()
    condition = threading.Condition()

    def wait_for_condition():
        with condition:
            condition.wait_for(lambda: False, 2)

    def result():
        with pytest.raises(TimeoutError):
            Future().result(timeout=2)

    yield lambda: never.wait(2)
    yield wait_for_condition
    yield result
    yield lambda: time.sleep(2)


@pytest.mark.parametrize("in_thread", [True, False])
def test_every_timed_wait_takes_its_simulated_time(in_thread):
    async def main():
        times = []
        for wait in timed_waits():
            begun = now()
            if in_thread:
                await asyncio.to_thread(wait)
            else:
                wait()
            times.append(now() - begun)
        return times

    assert run(main()) == [2.0] * 4


# The loop's own thread


def blocked(call):
    async def main():
        call()
        return now()

    with simulation() as loop:
        passed = loop.run(main())
        # The coroutine comes first: it could await.
        assert all(it.places[0].handler.endswith("main") for it in loop.blocking_calls)
        return passed, [(it.name, it.seconds, it.places[1].handler) for it in loop.blocking_calls]


def bake():
    time.sleep(2)


def wait_for_bread():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(bake).result()


def test_a_wait_on_the_loop_is_noted_with_its_line():
    assert blocked(bake) == (2, [("time.sleep", 2, "bake")])
    assert blocked(wait_for_bread) == (2, [("Future.result", 2, "wait_for_bread")])


PROGRAM = [sys.executable, "-c", ""]


def connect():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def ask_cache():
    with fresh_cache():
        cache.get("a")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: subprocess.run(PROGRAM), "Popen.wait"),
        (lambda: os.system("exit"), "os.system"),
        (lambda: os.popen("exit").close(), "os.popen"),
        (connect, "socket.connect"),
        (ask_cache, "cache.get"),
    ],
)
def test_a_call_that_waits_for_another_program_takes_real_time_and_is_noted(call, name):
    passed, calls = blocked(call)
    assert (passed, calls[0][:2]) == (0, (name, None))


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

    with simulation() as loop:
        loop.run(main())
        assert loop.blocking_calls == []
