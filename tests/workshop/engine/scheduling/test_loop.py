"""The loop of checks knows when it is idle. A seed decides what life decides."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async

from lessons.workshop.engine.scheduling.loop import SimulatedLoop, maybe_suspend
from lessons.workshop.engine.world.channel_layer import FakeRedis, SimulatedLayer

SEEDS = range(1, 31)


def run(coroutine, seed=0):
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(seed)) as runner:
        return runner.run(coroutine)


def test_is_idle_while_a_task_sleeps_and_not_before_a_thread_job_is_done():
    release, done = threading.Event(), []

    def work():
        release.wait(30)
        done.append("work")

    async def main():
        loop = asyncio.get_running_loop()
        timer = asyncio.create_task(asyncio.sleep(3600))
        job = asyncio.create_task(asyncio.to_thread(work))
        loop.call_soon(release.set)
        await loop.wait_until_idle()
        assert (done, timer.done(), job.done(), loop.elapsed()) == (["work"], False, True, 0)

    run(main())


def test_is_idle_after_a_thread_sensitive_context_has_ended():
    """asgiref waits for the end of its thread in another thread, unknown to the loop."""
    before = set(threading.enumerate())

    async def own_thread():
        async with ThreadSensitiveContext():
            await sync_to_async(time.monotonic)()

    async def main():
        job = asyncio.create_task(own_thread())
        await asyncio.get_running_loop().wait_until_idle()
        return job.done(), set(threading.enumerate()) - before

    for _ in range(20):
        assert run(main()) == (True, set())


# The seed


async def two_connections():
    """Two connections, each with its own thread for sync code. Returns what was done, in order."""
    done = []

    async def visit(name):
        async with ThreadSensitiveContext():
            for number in range(3):
                await sync_to_async(done.append)(f"{name}{number} asked")
                done.append(f"{name}{number} answered")

    await asyncio.gather(visit("a"), visit("b"))
    return done


def test_a_seed_gives_its_own_order_each_time_and_each_order_can_happen():
    own = [f"{number} {what}" for number in range(3) for what in ("asked", "answered")]
    in_turn = [name + what for i in (0, 2, 4) for name in "ab" for what in own[i : i + 2]]
    assert run(two_connections()) == in_turn
    orders = [run(two_connections(), seed) for seed in SEEDS]
    assert len(set(map(tuple, orders))) > 20
    assert [run(two_connections(), seed) for seed in SEEDS] == orders
    assert all([it[1:] for it in order if it[0] == "a"] == own for order in orders)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_one_thread_and_the_callbacks_of_the_loop_keep_their_order(seed):
    done, arrived, called = [], [], []

    async def call(number):
        await sync_to_async(done.append)(number)
        arrived.append(number)

    async def main():
        for number in range(5):
            asyncio.get_running_loop().call_soon(called.append, number)
        await asyncio.gather(*map(call, range(5)))

    run(main(), seed)
    assert done == arrived == called == [0, 1, 2, 3, 4]


def test_results_of_parallel_jobs_arrive_in_any_order():
    async def main():
        with ThreadPoolExecutor(3) as pool:
            loop = asyncio.get_running_loop()
            jobs = [loop.run_in_executor(pool, str, number) for number in range(3)]
            return "".join([await job for job in asyncio.as_completed(jobs)])

    assert run(main()) == "012"
    assert len({run(main(), seed) for seed in SEEDS}) == 6


def test_timers_for_the_same_time_come_in_their_order_or_in_a_random_one():
    async def main():
        loop, woken = asyncio.get_running_loop(), []
        when = loop.time() + 1
        for name in "abcd":
            loop.call_at(when, woken.append, name)
        loop.call_at(when - 0.5, woken.append, "earlier ")
        await asyncio.sleep(2)
        return "".join(woken)

    assert run(main()) == "earlier abcd"
    orders = {run(main(), seed) for seed in SEEDS}
    assert len(orders) > 15
    assert all(order.startswith("earlier ") for order in orders)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_loop_that_spins_reaches_its_timer(seed):
    async def main():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(5, done.set)
        while not done.is_set():  # noqa: ASYNC110 - as a student may write it
            await asyncio.sleep(0)
        return 5 <= loop.elapsed() < 10

    assert run(main(), seed)


def test_a_call_of_the_outside_world_suspends_only_with_a_seed():
    async def main():
        call = asyncio.create_task(maybe_suspend())
        await asyncio.sleep(0)
        turns = 0
        while not call.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert run(main()) == 0
    assert {run(main(), seed) for seed in SEEDS} == {0, 1, 2, 6}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_receiver_that_is_cancelled_loses_no_message(seed):
    async def main():
        layer, received = SimulatedLayer(FakeRedis()), []
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

    assert run(main(), seed) == [*range(40)]
