"""The loop of checks: it knows when it is idle, and its clock jumps over sleep."""

import asyncio
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async

from lessons.workshop.engine.world import threads
from lessons.workshop.engine.world.clock import simulated_clock
from lessons.workshop.engine.world.loop import SimulatedLoop


def run(coroutine):
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(coroutine)


def test_an_hour_of_sleep_takes_no_time_and_moves_the_clock():
    async def sleep():
        before, real = asyncio.get_running_loop().time(), time.monotonic()
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time() - before, time.monotonic() - real

    by_the_loop, really = run(sleep())

    assert by_the_loop == pytest.approx(3600, abs=1)
    assert really < 60


def test_sleepers_wake_in_the_order_of_their_clocks():
    woken = []

    async def sleep(seconds):
        await asyncio.sleep(seconds)
        woken.append(seconds)

    async def main():
        await asyncio.gather(*(sleep(seconds) for seconds in (30, 10, 20)))

    run(main())

    assert woken == [10, 20, 30]


def test_is_idle_while_a_task_sleeps():
    async def main():
        sleeper = asyncio.create_task(asyncio.sleep(5))
        await asyncio.get_running_loop().wait_until_idle()
        asleep = not sleeper.done()
        sleeper.cancel()
        return asleep

    assert run(main())


def test_is_not_idle_before_a_thread_job_is_done():
    release, done = threading.Event(), []

    def work():
        release.wait(30)
        done.append("work")

    async def main():
        job = asyncio.ensure_future(sync_to_async(work, thread_sensitive=False)())
        asyncio.get_running_loop().call_soon(release.set)
        await asyncio.get_running_loop().wait_until_idle()
        seen = list(done)
        await job
        return seen

    assert run(main()) == ["work"]


def test_is_not_idle_before_the_loop_has_answered_a_thread():
    seen = []

    async def answer():
        seen.append("answered")

    async def main():
        job = asyncio.ensure_future(sync_to_async(async_to_sync(answer))())
        await asyncio.get_running_loop().wait_until_idle()
        await job
        return list(seen)

    assert run(main()) == ["answered"]


def test_a_timeout_ends_at_once_when_no_work_is_left():
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()

    run(main())


def test_the_clock_does_not_jump_while_a_thread_works():
    release = threading.Event()

    async def main():
        job = asyncio.ensure_future(sync_to_async(release.wait, thread_sensitive=False)(30))
        timer = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(release.set)
        await job
        slept_through = timer.done()
        timer.cancel()
        return slept_through

    assert run(main()) is False


def hold(thread_sensitive):
    """What was done when the loop became idle with a held thread, and what in the end."""
    release, done = threading.Event(), []

    async def main():
        loop = asyncio.get_running_loop()

        def work():
            loop.held_threads.add(threading.get_ident())
            loop.call_soon_threadsafe(lambda: None)
            release.wait(30)
            done.append("held")

        def other():
            done.append("other")

        held = asyncio.ensure_future(sync_to_async(work, thread_sensitive=thread_sensitive)())
        await loop.wait_until_idle()
        queued = asyncio.ensure_future(sync_to_async(other, thread_sensitive=thread_sensitive)())
        await loop.wait_until_idle()
        seen = list(done)
        loop.held_threads.clear()
        release.set()
        await loop.wait_until_idle()
        await asyncio.gather(held, queued)
        return seen

    return run(main()), done


def test_is_idle_while_a_thread_is_held_and_another_waits_for_it():
    assert hold(thread_sensitive=True) == ([], ["held", "other"])


def test_is_not_idle_while_another_thread_can_work():
    assert hold(thread_sensitive=False) == (["other"], ["other", "held"])


def test_is_not_idle_before_an_unknown_thread_gives_its_result():
    release = threading.Event()

    async def main():
        with ThreadPoolExecutor(1) as pool:
            result = asyncio.wrap_future(pool.submit(release.wait, 30))
            asyncio.get_running_loop().call_soon(release.set)
            await asyncio.get_running_loop().wait_until_idle()
            return result.done()

    assert run(main())


def test_the_clock_stands_still_while_code_runs_or_a_thread_works():
    async def main():
        loop = asyncio.get_running_loop()
        timer = asyncio.create_task(asyncio.sleep(60))
        before = loop.time()
        sum(range(100_000))
        await sync_to_async(time.sleep, thread_sensitive=False)(0.01)
        passed = loop.time() - before
        timer.cancel()
        return passed

    assert run(main()) == 0


def test_a_timer_ends_while_a_thread_works():
    release = threading.Event()

    async def main():
        job = asyncio.ensure_future(sync_to_async(release.wait, thread_sensitive=False)(30))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.shield(job)
        release.set()
        return await job

    assert run(main()) is True


def test_counts_the_jobs_for_threads():
    async def main():
        loop = asyncio.get_running_loop()
        counts = [loop.thread_jobs_started]
        for sensitive in (True, False):
            await sync_to_async(time.monotonic, thread_sensitive=sensitive)()
            counts.append(loop.thread_jobs_started)
        await asyncio.sleep(1)
        return [*counts, loop.thread_jobs_started]

    assert run(main()) == [0, 1, 2, 2]


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

    for _ in range(50):
        assert run(main()) == (True, set())


@pytest.mark.skipif(os.name == "nt", reason="selector loops have no processes there")
def test_is_not_idle_before_a_process_has_ended():
    async def main():
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
        end = asyncio.create_task(process.wait())
        await asyncio.get_running_loop().wait_until_idle()
        return end.done()

    assert run(main())


def test_finds_tasks_by_their_context_and_keeps_no_finished_task():
    origin = ContextVar("origin", default=None)

    async def main():
        loop = asyncio.get_running_loop()
        origin.set("here")
        task = asyncio.create_task(asyncio.sleep(0))
        known = loop.tasks_started_with(origin, "here") == [task]
        await task
        del task
        await asyncio.sleep(0)  # now the loop has no reference to it either
        return known, loop.tasks_started_with(origin, "here")

    assert run(main()) == (True, [])


@pytest.mark.parametrize("timer", [None, 5])
def test_is_idle_after_a_thread_that_ends_just_before_the_selector_waits(timer):
    ours, theirs = os.pipe()
    sleep = time.sleep  # the simulated clock replaces it

    class Loop(SimulatedLoop):
        def has_no_work(self):
            seen = super().has_no_work()
            if self.turns.left_threads():
                os.write(theirs, b"x")
                while self.turns.left_threads():
                    sleep(0.001)
            return seen

    async def main():
        loop = asyncio.get_running_loop()
        with simulated_clock(loop):
            if timer:
                loop.call_later(timer, int)
            threading.Thread(target=os.read, args=(ours, 1)).start()
            await loop.wait_until_idle()
            return loop.elapsed()

    with asyncio.Runner(loop_factory=Loop) as runner:
        assert runner.run(main()) == 0
    os.close(ours)
    os.close(theirs)


@pytest.fixture
def held_thread():
    """A function that blocks its thread in real time, and one that lets it go on."""
    ours, theirs = os.pipe()
    yield partial(os.read, ours, 1), partial(os.write, theirs, b"x")
    os.close(ours)
    os.close(theirs)


def test_a_sleep_that_begins_just_before_the_clock_jumps_ends_in_time(held_thread):
    hold, let_go_on = held_thread
    sleep, woken_at = time.sleep, []

    class Loop(SimulatedLoop):
        def has_no_work(self):
            if not woken_at and self.turns.left_threads():
                let_go_on()
                while not self.turns.has_new_alarms:
                    sleep(0.001)
                woken_at.append(None)
            return super().has_no_work()

    async def main():
        loop = asyncio.get_running_loop()

        def work():
            hold()
            time.sleep(1)
            woken_at[:] = [loop.elapsed()]

        with simulated_clock(loop):
            threading.Thread(target=work).start()
            await asyncio.sleep(60)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())
    assert woken_at == [1]


def test_a_wait_of_the_loop_that_ends_just_before_the_clock_jumps_takes_no_time(held_thread):
    hold, let_go_on = held_thread
    sleep = time.sleep

    async def main():
        loop = asyncio.get_running_loop()
        has_loose_threads, event = loop.turns._has_loose_threads, threading.Event()

        def wait_for_the_end():
            let_go_on()
            while loop.turns.left_threads():
                sleep(0.001)
            return has_loose_threads()

        def work():
            hold()
            event.set()

        loop.turns._has_loose_threads = wait_for_the_end
        with simulated_clock(loop):
            threading.Thread(target=work).start()
            return event.wait(30), loop.elapsed()

    assert run(main()) == (True, 0)


def test_the_processor_time_of_a_turn_begins_with_the_turn():
    def work():
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            pass
        computed = threads._cpu_of_turn(threads.this_thread())
        threading.Event().wait(1)
        return computed, threads._cpu_of_turn(threads.this_thread())

    async def main():
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as pool:
            return [await loop.run_in_executor(pool, work) for _ in range(2)]

    for computed, afterwards in run(main()):
        assert 0.2 <= computed < 0.35
        assert afterwards < 0.1


def test_waits_for_a_slow_thread_when_the_loop_is_closed():
    class Slow(ThreadPoolExecutor):
        def shutdown(self, wait=True, **kwargs):
            time.sleep(0.02)  # in a separate thread, while the loop's clock could jump by hours
            super().shutdown(wait, **kwargs)

    async def main():
        asyncio.get_running_loop().set_default_executor(Slow(1))
        return await asyncio.get_running_loop().run_in_executor(None, lambda: "done")

    assert run(main()) == "done"


@pytest.mark.parametrize("select", ["select", "_select_in_real_time"])
def test_the_clock_stays_while_a_callback_of_a_thread_waits_to_run(select):
    """A thread has called call_soon_threadsafe() just before the selector begins to wait."""
    loop = SimulatedLoop()
    try:
        loop.call_later(5, int)
        loop.call_soon_threadsafe(int)
        before = loop.time()
        assert getattr(loop._selector, select)(5) == []
        assert loop.time() == before
    finally:
        loop.close()
