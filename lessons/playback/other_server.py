"""A second server process, played in this one: it imports the student's file again.

Like another process it shares the channel layers, the database and the cache with the first, and
nothing else: no module, no class and no thread.
"""

from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import ThreadSensitiveContext

from lessons.core.catalogue import Lesson
from lessons.simulator.signal_receivers import receivers_unchanged
from lessons.simulator.student_module import application_for, reload_subject


class OtherServer:
    """`application` is what the process serves."""

    def __init__(self, subject, lesson: Lesson):
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ThreadPoolExecutor-server")
        with receivers_unchanged():  # what changes a row is played as the first process
            again = reload_subject(subject)
            served = application_for(again, lesson) if isinstance(again, type) else again

        async def application(scope, receive, send):
            # The usual thread for sync code belongs to the first process.
            async with ThreadSensitiveContext(executor=self._thread):
                await served(scope, receive, send)

        application.consumer_class = getattr(served, "consumer_class", served)
        application.outermost = getattr(served, "outermost", served)
        self.application = application

    def stop(self) -> None:
        self._thread.shutdown()
