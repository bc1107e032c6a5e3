"""One simulated clock: for the loop, for the time module, for the calendar and for threads."""

import asyncio
import importlib.util
import os
import queue
import select
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from datetime import datetime as imported_datetime
from time import monotonic as imported_monotonic
from time import perf_counter, perf_counter_ns, time_ns
from time import sleep as imported_sleep

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.cache import cache
from django.utils import timezone

from lessons.workshop.engine.world import threads
from lessons.workshop.engine.world.cache import fresh_cache
from lessons.workshop.engine.world.clock import BEGINNING, simulated_clock
from lessons.workshop.engine.world.loop import EPOCH, SimulatedLoop
from lessons.workshop.engine.world.student_module import load_file

SEEDS = [0, 1, 2, 3]


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
        return [
            time.monotonic() - EPOCH,
            imported_monotonic() - EPOCH,
            time.monotonic_ns() / 1e9 - EPOCH,
            time.perf_counter() - EPOCH,
            perf_counter() - EPOCH,
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
    assert first == [0.0] * 11
    assert later == [3600.0] * 11
    assert today == date(2026, 1, 1)


def test_the_clock_moves_by_hand_and_over_midnight():
    async def main():
        asyncio.get_running_loop().advance(12 * 3600)
        return date.today(), timezone.now()

    assert run(main()) == (date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC))


def test_the_time_of_the_import_is_not_now(tmp_path):
    file = tmp_path / "shop.py"
    file.write_text(
        "from datetime import datetime\nfrom time import monotonic, time\n"
        "AT_IMPORT = monotonic(), time(), datetime.now()\n"
        "def now():\n    return monotonic(), time(), datetime.now()\n"
    )
    with simulation() as loop:
        module = load_file(file)
        assert module.now() == module.AT_IMPORT
        loop.advance(1)
        assert all(old != new for old, new in zip(module.now(), module.AT_IMPORT, strict=True))


def test_the_usual_clocks_come_back():
    before = (time.sleep, time.monotonic, threading.Lock, threading.Condition.wait, time.time())
    run(asyncio.sleep(10**9))
    after = (time.sleep, time.monotonic, threading.Lock, threading.Condition.wait, time.time())
    assert after[:4] == before[:4]
    assert (imported_sleep, imported_monotonic) == (time.sleep, time.monotonic)
    assert 0 <= after[4] - before[4] < 60


def test_a_ticker_without_drift_ticks_at_whole_seconds():
    async def main():
        ticks, begun = [], time.monotonic()
        for number in range(1, 4):
            await asyncio.sleep(begun + number - time.monotonic())
            ticks.append(now())
        return ticks

    assert run(main()) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thread_ticks_and_is_joined(seed):
    async def main():
        loop, ticks, stop = asyncio.get_running_loop(), [], threading.Event()

        def tick():
            while not stop.wait(1):
                loop.call_soon_threadsafe(lambda: ticks.append(now()))

        thread = threading.Thread(target=tick)
        thread.start()
        await asyncio.sleep(3.5)
        stop.set()
        thread.join()
        return ticks, thread.is_alive(), now(), loop.turns.left_threads()

    assert run(main(), seed) == ([1.0, 2.0, 3.0], False, 3.5, [])


async def slow(executor, seconds=2):
    loop = asyncio.get_running_loop()
    begun = now()
    await loop.run_in_executor(executor, time.sleep, seconds)
    return begun, now()


@pytest.mark.parametrize("seed", SEEDS)
def test_two_slow_calls_overlap_only_on_two_threads(seed):
    async def main(threads):
        with ThreadPoolExecutor(threads) as pool:
            return await asyncio.gather(slow(pool), slow(pool))

    assert run(main(2), seed) == [(0, 2), (0, 2)]
    assert run(main(1), seed) == [(0, 2), (0, 4)]


@pytest.mark.parametrize("seed", SEEDS)
def test_thread_sensitive_calls_come_one_after_the_other(seed):
    async def call():
        await sync_to_async(time.sleep)(1)
        return now()

    async def main():
        return await asyncio.gather(*(call() for _ in range(4)))

    assert run(main(), seed) == [1, 2, 3, 4]


def test_slow_calls_take_no_real_time():
    begun = time.monotonic()

    async def main():
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 3600) for _ in range(3)))
        return now()

    assert run(main()) == 3600
    assert time.monotonic() - begun < 30


def timed_waits():
    never = threading.Event()
    condition = threading.Condition()
    thread = threading.Thread(target=never.wait, daemon=True)
    thread.start()
    lock = threading.Lock()
    lock.acquire()

    def wait_for_condition():
        with condition:
            condition.wait_for(lambda: False, 2)

    def get():
        with pytest.raises(queue.Empty):
            queue.Queue().get(timeout=2)

    def result():
        with pytest.raises(TimeoutError):
            Future().result(timeout=2)

    yield lambda: never.wait(2)
    yield wait_for_condition
    yield get
    yield result
    yield lambda: thread.join(2)
    yield lambda: threading.Semaphore(0).acquire(timeout=2)
    yield lambda: lock.acquire(timeout=2)
    yield lambda: imported_sleep(2)
    never.set()
    thread.join()


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

    assert run(main()) == [2.0] * 8


def test_a_wait_that_is_answered_ends_at_once():
    async def main():
        answers = queue.Queue()
        job = asyncio.ensure_future(asyncio.to_thread(answers.get, timeout=60))
        await asyncio.sleep(1.5)
        answers.put("yes")
        return await job, now()

    assert run(main()) == ("yes", 1.5)


def test_threads_that_wait_for_a_lock_are_idle():
    async def main():
        lock, order = threading.Lock(), []

        def bake(name):
            with lock:
                time.sleep(2)
                order.append((name, time.monotonic() - EPOCH))

        jobs = [asyncio.ensure_future(asyncio.to_thread(bake, name)) for name in "ab"]
        await asyncio.get_running_loop().wait_until_idle()
        idle_at = now()
        await asyncio.wait(jobs)
        return idle_at, order

    assert run(main()) == (0, [("a", 2), ("b", 4)])


def test_a_lock_may_be_taken_again_by_its_owner():
    async def main():
        lock, condition = threading.RLock(), threading.Condition()
        with lock, lock, condition, condition:
            assert not await asyncio.to_thread(lock.acquire, timeout=1)
        return await asyncio.to_thread(lock.acquire, timeout=1)

    assert run(main()) is True


@pytest.mark.parametrize("seed", SEEDS)
def test_another_event_loop_on_a_thread_sleeps_on_the_same_clock(seed):
    async def other():
        await asyncio.gather(asyncio.sleep(2), slow(None, 3))
        return time.monotonic() - EPOCH

    async def slow(executor, seconds):
        await asyncio.get_running_loop().run_in_executor(executor, time.sleep, seconds)

    async def main():
        job = asyncio.ensure_future(asyncio.to_thread(asyncio.run, other()))
        await asyncio.sleep(1)
        return now(), await job, now()

    assert run(main(), seed) == (1, 3, 3)


def test_a_thread_without_a_loop_may_call_async_code():
    async def other():
        await asyncio.sleep(2)
        return await sync_to_async(lambda: "answer")()

    async def main():
        answers = []
        thread = threading.Thread(target=lambda: answers.append(async_to_sync(other)()))
        thread.start()
        await asyncio.to_thread(thread.join)
        return answers, now()

    assert run(main()) == (["answer"], 2)


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


def join_a_baker():
    thread = threading.Thread(target=bake)
    thread.start()
    thread.join()


def test_a_sleep_on_the_loop_is_noted_with_its_line():
    assert blocked(bake) == (2, [("time.sleep", 2, "bake")])


def test_a_wait_on_the_loop_is_noted():
    assert blocked(wait_for_bread) == (2, [("Future.result", 2, "wait_for_bread")])
    assert blocked(join_a_baker) == (2, [("Thread.join", 2, "join_a_baker")])


def test_a_wait_for_work_that_takes_real_time_only_is_noted():
    def ask():
        threads.note_work()  # a query

    def join(function):
        thread = threading.Thread(target=function)
        thread.start()
        thread.join()

    def wait_for_a_queue():
        answers = queue.SimpleQueue()
        threading.Thread(target=lambda: (ask(), answers.put(1))).start()
        answers.get()

    assert blocked(lambda: join(ask))[1][0][:2] == ("Thread.join", None)
    assert blocked(lambda: join(lambda: join(ask)))[1][-1][:2] == ("Thread.join", None)
    assert blocked(wait_for_a_queue)[1][0][:2] == ("_PySimpleQueue.get", None)
    assert blocked(lambda: join(lambda: None))[1][0][:2] == ("Thread.join", 0)


PROGRAM = [sys.executable, "-c", ""]


def connect(timeout=None):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout).close()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: subprocess.run(PROGRAM), "Popen.wait"),
        (lambda: subprocess.run(PROGRAM, timeout=30), "Popen.wait"),
        (lambda: subprocess.check_output(PROGRAM), "Popen.wait"),
        (lambda: subprocess.Popen(PROGRAM).wait(30), "Popen.wait"),
        (lambda: os.system("exit"), "os.system"),
        (lambda: os.popen("exit").close(), "os.popen"),
        (connect, "socket.connect"),
        (lambda: connect(30), "socket.connect"),
    ],
)
def test_a_call_that_waits_for_another_process_takes_real_time_and_is_noted(call, name):
    passed, calls = blocked(call)
    assert (passed, calls[0][:2]) == (0, (name, None))


@pytest.mark.parametrize(
    ("call", "name"),
    [(lambda: cache.add("a", 0), "cache.add"), (lambda: cache.get("a"), "cache.get")],
)
def test_a_call_of_the_cache_is_noted(call, name):
    with fresh_cache():
        passed, calls = blocked(call)
    assert (passed, calls[0][:2]) == (0, (name, None))


def test_a_call_of_the_cache_in_a_thread_is_not_noted():
    async def main():
        await cache.aset("a", 1)
        return await asyncio.to_thread(cache.incr, "a")

    with fresh_cache(), simulation() as loop:
        assert loop.run(main()) == 2
        assert loop.blocking_calls == []


def test_calls_that_do_not_block_are_not_noted():
    def nothing():
        time.sleep(0)
        threading.Event().wait(0)
        threading.Lock().acquire()

    assert blocked(nothing) == (0, [])


def test_async_calls_for_processes_and_sockets_are_not_noted():
    async def main():
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


def test_threads_go_on_while_the_loop_is_blocked():
    async def main():
        ends = []
        thread = threading.Thread(target=lambda: (bake(), ends.append(time.monotonic() - EPOCH)))
        thread.start()
        time.sleep(5)  # noqa: ASYNC251
        return ends, now()

    assert run(main()) == ([2], 5)


# Threads that never end


@pytest.mark.parametrize("seed", SEEDS)
def test_a_job_that_is_cancelled_before_its_turn_does_not_hold_up_the_next(seed):
    async def main():
        with ThreadPoolExecutor(1) as pool:
            job = pool.submit(int)
            select.select([], [], [], 0.05)  # real time, in which the pool's thread takes the job
            assert job.cancel()
            return await asyncio.wrap_future(pool.submit(int, "7"))

    assert run(main(), seed) == 7


def test_idle_pools_and_waiting_threads_are_idle():
    async def main():
        pool = ThreadPoolExecutor(8, thread_name_prefix="oven")
        await asyncio.gather(*(slow(pool) for _ in range(3)))
        await asyncio.get_running_loop().wait_until_idle()
        left = asyncio.get_running_loop().turns.left_threads()
        pool.shutdown()
        return left

    assert run(main()) == []


def test_a_thread_that_was_left_behind_has_a_name():
    stop = threading.Event()

    async def main():
        threading.Thread(target=stop.wait, name="ticker").start()
        await asyncio.get_running_loop().wait_until_idle()

    with simulation() as loop:
        loop.run(main())
        assert loop.turns.left_threads() == ["ticker"]
        stop.set()


def poll_with(wait):
    def poll(done):
        while not done:
            wait()

    return poll


@pytest.mark.parametrize(
    "wait",
    [
        lambda: time.sleep(0),
        lambda: time.sleep(0.01),
        lambda: threading.Event().wait(1e-9),
        time.monotonic,
        time.time,
        lambda: None,
    ],
)
def test_a_thread_that_polls_does_not_stop_the_loop(wait):
    async def main():
        done = []
        thread = threading.Thread(target=poll_with(wait), args=(done,))
        thread.start()
        await asyncio.sleep(1)
        await asyncio.get_running_loop().wait_until_idle()
        done.append(1)
        await asyncio.sleep(1)
        while thread.is_alive():  # noqa: ASYNC110 - it computes without a turn
            await asyncio.sleep(0.1)
        return now()

    assert run(main()) >= 2 - 1e-6


def test_a_busy_wait_until_a_time_ends():
    def burn():
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass

    async def main():
        await asyncio.to_thread(burn)
        return now()

    assert run(main()) == pytest.approx(2, abs=0.02)


def test_many_reads_in_several_rounds_of_the_loop_are_no_wait():
    async def main():
        for _ in range(9):
            for _ in range(500):
                time.monotonic()
            await asyncio.sleep(0)
        return now()

    assert run(main()) == 0


# Loops with a seed


def test_loops_with_the_same_seed_do_the_same():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.gather(asyncio.sleep(5), asyncio.to_thread(time.sleep, 7))
        loop.call_later(60, print).cancel()
        return loop.time(), time.time(), [loop._random.random() for _ in range(3)]

    def result(seed):
        with simulation(seed=seed) as loop:
            assert loop.elapsed() == 0
            return loop.run(main())

    first = result(5)
    assert result(5) == first
    assert result(6)[2] != first[2]


def test_the_workshops_files_are_not_a_students_even_in_a_test_with_its_own_course(course):
    spec = importlib.util.find_spec("lessons.workshop.engine.world.clock")
    clock = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(clock)
    assert not clock.is_students_file(spec.origin)
    assert clock.is_students_file(str(course[0].exercise))
