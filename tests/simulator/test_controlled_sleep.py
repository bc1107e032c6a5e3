"""Held sleep: a call waits until the check releases it, and knows what it blocks."""

import asyncio
import functools
import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from channels.consumer import AsyncConsumer

from lessons.core import catalogue
from lessons.simulator import controlled_sleep
from lessons.simulator.check_context import CheckContext
from lessons.simulator.controlled_sleep import held_sleep
from lessons.simulator.finding import CheckFailed
from lessons.simulator.loop import SimulatedLoop


class Subject(AsyncConsumer):
    pass


def in_simulated_loop(test):
    """Runs the test in the loop of checks."""

    @functools.wraps(test)
    def run(**arguments):
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            runner.run(test(**arguments))

    return run


def slow():
    return held_sleep(CheckContext(catalogue.lessons()[0], Subject))


@in_simulated_loop
async def test_calls_return_at_once_and_are_counted():
    async with slow() as work:
        await asyncio.to_thread(time.sleep, 3600)
        await asyncio.to_thread(lambda: time.sleep(7))
    assert work.calls == [3600, 7]


@in_simulated_loop
async def test_a_held_call_waits_until_it_is_released():
    async with slow() as work:
        work.hold()
        call = asyncio.ensure_future(asyncio.to_thread(lambda: time.sleep(3600)))
        await asyncio.get_running_loop().wait_until_idle()
        assert (work.waiting, call.done()) == (1, False)
        await work.release()
        assert (work.waiting, call.done()) == (0, True)


@in_simulated_loop
async def test_a_failed_check_leaves_no_call_held():
    work = slow()
    held = await work.__aenter__()
    held.hold()
    call = asyncio.ensure_future(asyncio.to_thread(lambda: time.sleep(3600)))
    await asyncio.get_running_loop().wait_until_idle()
    error = AssertionError("the check went wrong")
    assert not await work.__aexit__(AssertionError, error, None)
    assert call.done()


async def block_the_loop():
    async with slow():
        time.sleep(3600)  # noqa: ASYNC251


async def block_the_loop_and_go_wrong():
    async with slow():
        time.sleep(3600)  # noqa: ASYNC251
        raise AssertionError("a consequence")


@pytest.mark.parametrize("check", [block_the_loop, block_the_loop_and_go_wrong])
@in_simulated_loop
async def test_a_call_on_the_loop_always_fails_the_check(check):
    with pytest.raises(CheckFailed) as failure:
        await check()
    assert failure.value.finding.diagnosis == "blocked-loop"


def call_late():
    while not LATE.wait(0.001):
        pass
    time.sleep(2)


LATE = threading.Event()


@in_simulated_loop
async def test_does_not_wait_for_a_call_that_no_thread_can_make(monkeypatch):
    """The timeout is endless, so a wait would hang. The threads of pytest do not count."""
    monkeypatch.setattr(controlled_sleep, "LOOP_TIMEOUT", threading.TIMEOUT_MAX)
    usual, before = threading.enumerate, set(threading.enumerate())
    monkeypatch.setattr(threading, "enumerate", lambda: list(set(usual()) - before))
    async with slow() as work:
        await asyncio.to_thread(time.monotonic)
        assert not await work.was_called()


@in_simulated_loop
async def test_waits_for_a_call_in_a_thread_that_the_loop_does_not_know():
    async with slow() as work:
        thread = threading.Thread(target=call_late)
        thread.start()
        asyncio.get_running_loop().call_soon(LATE.set)
        assert await work.was_called()
        thread.join()


async def wait_for_a_thread():
    async with slow() as work:
        work.hold()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(time.sleep, 2).result()


@in_simulated_loop
async def test_reports_a_loop_that_waits_for_the_call_at_once(monkeypatch):
    monkeypatch.setattr(controlled_sleep, "LOOP_TIMEOUT", 3600)
    with pytest.raises(CheckFailed) as failure:
        await wait_for_a_thread()
    assert failure.value.finding.diagnosis == "blocked-loop"


NOTHING = [sys.executable, "-c", ""]


def connect(timeout=None):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout).close()


BLOCKING = {
    "run": lambda: subprocess.run(NOTHING),
    "check_output": lambda: subprocess.check_output(NOTHING),
    "wait": lambda: subprocess.Popen(NOTHING).wait(30),
    "system": lambda: os.system("exit"),
    "connect": connect,
    "connect within a time": lambda: connect(30),
}


@pytest.mark.parametrize("call", BLOCKING.values(), ids=BLOCKING)
@in_simulated_loop
async def test_a_blocking_call_fails_the_check_only_on_the_loop(call):
    async with slow():
        await asyncio.to_thread(call)
    with pytest.raises(CheckFailed) as failure:
        async with slow():
            call()
    assert failure.value.finding.diagnosis == "blocked-loop"
    assert failure.value.finding.file == __file__


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@in_simulated_loop
async def test_reading_a_pipe_on_the_loop_fails_the_check():
    with pytest.raises(CheckFailed) as failure:
        async with slow():
            os.popen("exit").read()  # noqa: ASYNC220
    assert failure.value.finding.diagnosis == "blocked-loop"


def look_whether_it_has_ended(process):
    try:
        process.wait(0)
    except subprocess.TimeoutExpired:
        process.kill()


@in_simulated_loop
async def test_accepts_calls_for_processes_and_sockets_that_do_not_block():
    async with slow():
        process = subprocess.Popen(NOTHING)  # noqa: ASYNC220
        look_whether_it_has_ended(process)
        await asyncio.to_thread(process.wait)
        process.wait()
        if os.name != "nt":
            assert await (await asyncio.create_subprocess_exec(*NOTHING)).wait() == 0
        with socket.create_server(("127.0.0.1", 0)) as server:
            _, writer = await asyncio.open_connection(*server.getsockname())
            writer.close()
            await writer.wait_closed()


@in_simulated_loop
async def test_restores_the_usual_sleep():
    usual = time.sleep
    async with slow():
        assert time.sleep is not usual
    assert time.sleep is usual
