"""An event loop that knows when nothing is left to do, and whose clock then jumps ahead.

A check must not wait: to see that a consumer says nothing, a stock communicator waits a tenth of a
second or a whole one. This loop counts the thread jobs that it has handed out and sees, where it
would go to sleep, whether anything is left that could wake it. So `settled()` returns as soon as
every handler, task and thread has come to rest, and `asyncio.sleep(5)` takes no time at all.
"""

import asyncio
import selectors


class ObservedLoop(asyncio.SelectorEventLoop):
    """A selector event loop with `settled()`; its clock skips what would be spent asleep."""

    def __init__(self):
        self._jobs = 0
        self._skipped = 0.0
        self._waiting: list[asyncio.Future] = []
        self._files = _Selector(self)
        super().__init__(self._files)
        self._own_files = len(self._files.get_map())

    def time(self) -> float:
        """Seconds on a monotonic clock, those that were skipped included."""
        return super().time() + self._skipped

    def run_in_executor(self, executor, func, *args):
        """As in asyncio; the job counts as work until it is done."""
        job = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        job.add_done_callback(self._job_done)
        return job

    def _job_done(self, job) -> None:
        self._jobs -= 1

    async def settled(self) -> None:
        """Return once no callback is ready and no thread is at work; sleepers go on sleeping."""
        waiter = self.create_future()
        self._waiting.append(waiter)
        await waiter

    def at_rest(self) -> bool:
        """Whether nothing but a timer could wake the loop: no thread job, no network traffic."""
        return not self._jobs and len(self._files.get_map()) <= self._own_files

    def rest(self, seconds: float | None) -> bool:
        """Use a moment of rest: tell those who wait for it, else skip the time up to a timer.

        False where there is neither: the loop must really wait.
        """
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_result(None)
            return True
        if seconds is None:
            return False
        self._skipped += seconds
        return True


class _Selector(selectors.DefaultSelector):
    """Hands the loop its moments of rest in place of sleeping through them."""

    def __init__(self, loop: ObservedLoop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        if timeout == 0:
            return super().select(0)
        ready = super().select(0)
        if ready or (self._loop.at_rest() and self._loop.rest(timeout)):
            return ready
        return super().select(timeout)
