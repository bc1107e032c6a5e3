"""The schedule: a seed decides what the outside world decides in life, the machine nothing."""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async

from lessons.workshop.engine.world.channel_layer import SerializingLayer
from lessons.workshop.engine.world.loop import SimulatedLoop

SEEDS = range(1, 31)


def run(coroutine, seed=0):
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(seed)) as runner:
        return runner.run(coroutine)


@contextmanager
def busy_machine():
    """Within it, two other processes use the processors."""
    burn = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(burn) for _ in range(2)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


async def two_visitors():
    """Two connections, each with its own thread for sync code. Returns what was done, in order."""
    done = []

    async def visit(name):
        async with ThreadSensitiveContext():
            for number in range(3):
                await sync_to_async(done.append)(f"{name}{number} asked")
                done.append(f"{name}{number} answered")

    await asyncio.gather(visit("a"), visit("b"))
    return done


def test_with_seed_0_jobs_run_and_arrive_in_the_order_of_their_calls():
    assert run(two_visitors()) == [
        f"{name}{number} {what}"
        for number in range(3)
        for name in "ab"
        for what in ("asked", "answered")
    ]


def test_another_seed_gives_another_order():
    orders = {tuple(run(two_visitors(), seed)) for seed in SEEDS}
    assert len(orders) > 20


def test_each_order_is_one_that_can_happen():
    for seed in SEEDS:
        order = run(two_visitors(), seed)
        for name in "ab":
            own = [what for what in order if what.startswith(name)]
            assert own == [f"{name}{n} {what}" for n in range(3) for what in ("asked", "answered")]


def test_the_same_seed_gives_the_same_order_on_a_busy_machine():
    def orders():
        return {tuple(run(two_visitors(), seed=7)) for _ in range(20)}

    with busy_machine():
        busy = orders()
    assert len(busy | orders()) == 1


@pytest.mark.parametrize("seed", [0, *SEEDS])
def test_one_executor_keeps_its_order(seed):
    done, arrived = [], []

    async def call(number):
        await sync_to_async(done.append)(number)
        arrived.append(number)

    async def main():
        await asyncio.gather(*map(call, range(5)))

    run(main(), seed)
    assert done == arrived == [0, 1, 2, 3, 4]


def test_results_of_parallel_jobs_arrive_in_any_order():
    async def main():
        arrived = []
        with ThreadPoolExecutor(3) as pool:
            loop = asyncio.get_running_loop()
            jobs = [loop.run_in_executor(pool, str, number) for number in range(3)]
            for job in asyncio.as_completed(jobs):
                arrived.append(await job)
        return "".join(arrived)

    assert run(main()) == "012"
    assert len({run(main(), seed) for seed in SEEDS}) == 6


def test_two_results_may_arrive_before_the_loop_goes_on():
    async def visit(name, done):
        await sync_to_async(int)()  # both on the one thread for sync code
        done.append(f"{name} begins")
        await asyncio.sleep(0)
        done.append(f"{name} ends")

    async def two():
        done = []
        await asyncio.gather(visit("a", done), visit("b", done))
        return done

    orders = [run(two(), seed) for seed in SEEDS]
    assert ["a begins", "b begins", "a ends", "b ends"] in orders
    assert ["a begins", "a ends", "b begins", "b ends"] in orders


def test_only_one_thread_runs_at_a_time():
    running, seen = [], []

    def work():
        running.append(1)
        for _ in range(20_000):
            seen.append(len(running))
        running.pop()

    async def main():
        await asyncio.gather(*(asyncio.to_thread(work) for _ in range(4)))

    run(main(), seed=3)
    assert set(seen) == {1}


@pytest.mark.parametrize("seed", [0, *SEEDS])
def test_callbacks_keep_their_order(seed):
    done = []

    async def main():
        loop = asyncio.get_running_loop()
        for number in range(5):
            loop.call_soon(done.append, number)
        await loop.wait_until_idle()

    run(main(), seed)
    assert done == [0, 1, 2, 3, 4]


def wake_order(seed):
    woken = []

    async def main():
        loop = asyncio.get_running_loop()
        when = loop.time() + 1
        for name in "abcd":
            loop.call_at(when, woken.append, name)
        loop.call_at(when - 0.5, woken.append, "earlier")
        await asyncio.sleep(2)

    run(main(), seed)
    return "".join(woken)


def test_timers_for_the_same_time_come_in_their_order_or_in_a_random_one():
    assert wake_order(0) == "earlierabcd"
    orders = {wake_order(seed) for seed in SEEDS}
    assert len(orders) > 15
    assert {order[:7] for order in orders} == {"earlier"}


def test_a_pause_suspends_only_with_a_seed():
    def suspensions(seed):
        async def main():
            turns = []

            async def count():
                while True:
                    turns.append(1)
                    await asyncio.sleep(0)

            counter = asyncio.create_task(count())
            await asyncio.sleep(0)
            before = len(turns)
            await asyncio.get_running_loop().pause()
            counter.cancel()
            return len(turns) - before

        return run(main(), seed)

    assert suspensions(0) == 0
    assert {suspensions(seed) for seed in SEEDS} == {0, 1, 2}


def test_a_spinning_coroutine_sees_the_end_of_a_job():
    async def main():
        job = asyncio.ensure_future(asyncio.to_thread(str, 1))
        while not job.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
        return job.result()

    assert [run(main(), seed) for seed in (0, 1, 2)] == ["1", "1", "1"]


@pytest.mark.parametrize("seed", [0, *SEEDS])
def test_a_job_may_wait_for_the_loop_for_another_job_and_for_a_thread(seed):
    async def answer():
        await asyncio.sleep(1)
        return await sync_to_async(lambda: "answer")()

    def ask():
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(str, 5).result()
        thread = threading.Thread(target=str)
        thread.start()
        thread.join()
        return async_to_sync(answer)() + other

    assert run(sync_to_async(ask)(), seed) == "answer5"


def test_a_job_that_is_cancelled_before_its_turn_does_not_run():
    done = []

    async def main():
        with ThreadPoolExecutor(1) as pool:
            loop = asyncio.get_running_loop()
            first = loop.run_in_executor(pool, done.append, "first")
            second = loop.run_in_executor(pool, done.append, "second")
            second.cancel()
            await first

    run(main())
    assert done == ["first"]


def test_a_receiver_that_is_cancelled_loses_no_message():
    async def main():
        layer = SerializingLayer()
        received = []
        for number in range(40):
            await layer.send("channel", {"type": "a", "number": number})
        while len(received) < 40:
            receiver = asyncio.ensure_future(layer.receive("channel"))
            for _ in range(2):
                await asyncio.sleep(0)
            receiver.cancel()
            await asyncio.wait([receiver])
            if not receiver.cancelled():
                received.append(receiver.result()["number"])
        return received

    for seed in (1, 2, 3):
        assert run(main(), seed) == [*range(40)]
