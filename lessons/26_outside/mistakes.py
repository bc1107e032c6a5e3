"""Lesson 26: the classic wrong versions of the report and of the consumer that shows it."""

import asyncio
import time
from contextlib import suppress

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from layers_demo.models import Job


class RightProgress(AsyncConsumer):
    """The complete and right version. Each version below spoils one function."""

    shown = -1

    @classmethod
    def report(cls, job, percent):
        if not cls.store(job, percent):
            return False
        cls.notify(job, percent)
        return True

    @classmethod
    def store(cls, job, percent):
        return Job.objects.filter(id=job, percent__lt=percent).update(percent=percent)

    @classmethod
    def notify(cls, job, percent):
        for pause in (0.5, 0.5, 0.5, 0):
            try:
                cls.send_message(job, percent)
                return
            except Exception:
                time.sleep(pause)

    @classmethod
    def send_message(cls, job, percent):
        message = {"type": "job.progress", "percent": percent}
        async_to_sync(get_channel_layer().group_send)(cls.group_of(job), message)

    @classmethod
    def group_of(cls, job):
        return f"job-{job}"

    async def __call__(self, scope, receive, send):
        self.job = scope["url_route"]["kwargs"]["number"]
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard(self.group_of(self.job), self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add(self.group_of(self.job), self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.show_row()

    async def websocket_receive(self, event):
        pass

    async def job_progress(self, event):
        await self.show_row()

    async def show_row(self):
        job = await Job.objects.aget(id=self.job)
        await self.show(job.percent)

    async def show(self, percent):
        if percent > self.shown:
            self.shown = percent
            await self.send_percent(percent)

    async def send_percent(self, percent):
        await self.send({"type": "websocket.send", "text": f"{percent} %"})
        if percent == 100:
            await self.send({"type": "websocket.close"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class StoresNothing(RightProgress):
    """Sends the percent in a message. Believes that the layer keeps it."""

    diagnosis = "state-not-stored"

    @classmethod
    def store(cls, job, percent):
        return True

    async def job_progress(self, event):
        await self.show(event["percent"])


class KeepsItInTheProcess(RightProgress):
    """Keeps the percents in a variable. The process of the job has another one than the server."""

    diagnosis = "state-not-stored"
    percents = {}  # noqa: RUF012

    @classmethod
    def store(cls, job, percent):
        has_grown = percent > cls.percents.get(job, 0)
        cls.percents[job] = max(percent, cls.percents.get(job, 0))
        return has_grown

    async def show_row(self):
        await self.show(self.percents.get(self.job, 0))


class StoresEachReport(RightProgress):
    """Believes that reports come once, and in order."""

    diagnosis = "old-report-stored"

    @classmethod
    def store(cls, job, percent):
        return Job.objects.filter(id=job).update(percent=percent)


class ComparesThenStores(RightProgress):
    """Compares in Python. Two processes may read the row before one of them stores."""

    diagnosis = "checked-then-saved"

    @classmethod
    def store(cls, job, percent):
        row = Job.objects.get(id=job)
        if percent <= row.percent:
            return False
        row.percent = percent
        row.save()
        return True


class SendsFirst(RightProgress):
    """Sends the message before it stores the row. A quick consumer reads the old one."""

    diagnosis = "message-before-row"

    @classmethod
    def report(cls, job, percent):
        cls.notify(job, percent)
        return bool(cls.store(job, percent))


class FailsWithTheLayer(RightProgress):
    """Does not expect group_send to raise."""

    diagnosis = "job-fails-with-layer"

    @classmethod
    def notify(cls, job, percent):
        cls.send_message(job, percent)


class CatchesTheWrongException(RightProgress):
    """Catches Python's ConnectionError, which redis-py's is not."""

    diagnosis = "job-fails-with-layer"

    @classmethod
    def notify(cls, job, percent):
        for _ in range(4):
            try:
                cls.send_message(job, percent)
                return
            except ConnectionError:
                time.sleep(0.5)


class GivesUpAtOnce(RightProgress):
    """Ignores the exception. The outage ends, and the clients still see the old percent."""

    diagnosis = "message-not-retried"

    @classmethod
    def notify(cls, job, percent):
        with suppress(Exception):
            cls.send_message(job, percent)


class SendsEachTime(RightProgress):
    """Goes through the whole loop, although the first message has arrived."""

    diagnosis = "message-sent-again"

    @classmethod
    def notify(cls, job, percent):
        for _ in range(4):
            try:
                cls.send_message(job, percent)
            except Exception:
                time.sleep(0.5)


class NeverGivesUp(RightProgress):
    """Tries until the message was sent. The job stands still as long as Redis is unreachable."""

    diagnosis = "retries-without-end"

    @classmethod
    def notify(cls, job, percent):
        while True:
            try:
                cls.send_message(job, percent)
                return
            except Exception:
                time.sleep(0.5)


class WaitsASecond(RightProgress):
    """Waits for a second between two tries, so the message comes too late."""

    diagnosis = "wrong-time"

    @classmethod
    def notify(cls, job, percent):
        for pause in (1, 1, 1, 0):
            try:
                cls.send_message(job, percent)
                return
            except Exception:
                time.sleep(pause)


class RepeatsTheReport(RightProgress):
    """Repeats all of it. The second time, the percent is stored already, so it looks old."""

    diagnosis = "retry-repeats-work"

    @classmethod
    def report(cls, job, percent):
        for _ in range(4):
            if not cls.store(job, percent):
                return False
            try:
                cls.send_message(job, percent)
                return True
            except Exception:
                time.sleep(0.5)
        return True


class ReturnsWhetherItWasSent(RightProgress):
    """Takes the message for the report, and returns False if the layer is unreachable."""

    diagnosis = "sent-taken-for-stored"

    @classmethod
    def report(cls, job, percent):
        if not cls.store(job, percent):
            return False
        for _ in range(4):
            try:
                cls.send_message(job, percent)
                return True
            except Exception:
                time.sleep(0.5)
        return False


class WaitsInTheLoop(RightProgress):
    """Starts an event loop for the report, and calls async_to_sync in it."""

    diagnosis = "async-to-sync-in-loop"

    @classmethod
    def report(cls, job, percent):
        return cls.store(job, percent) and asyncio.run(cls.notify_in_loop(job, percent))

    @classmethod
    async def notify_in_loop(cls, job, percent):
        cls.send_message(job, percent)
        return True


class ForgetsAsyncToSync(RightProgress):
    """Calls group_send in sync code, as if it were a sync function."""

    diagnosis = "never-awaited"

    @classmethod
    def send_message(cls, job, percent):
        get_channel_layer().group_send(cls.group_of(job), {"type": "job.progress"})


class ShowsMessagesOnly(RightProgress):
    """Waits for the first message. A client that connects late sees nothing."""

    diagnosis = "late-client-not-told"

    async def websocket_connect(self, event):
        await self.channel_layer.group_add(self.group_of(self.job), self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def job_progress(self, event):
        await self.show(event["percent"])


class ReadsBeforeItJoins(RightProgress):
    """Reads the row, then joins. A report in between is missed."""

    diagnosis = "joined-too-late"

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.show_row()
        await self.channel_layer.group_add(self.group_of(self.job), self.channel_name)


class ShowsEachMessage(RightProgress):
    """Sends a frame for each message, even if it has shown this percent already."""

    diagnosis = "percent-sent-twice"

    async def show(self, percent):
        await self.send_percent(percent)


class TrustsTheMessages(RightProgress):
    """Sends the percent of the message. An earlier message may arrive later."""

    diagnosis = "layer-message-trusted"

    async def job_progress(self, event):
        if event["percent"] != self.shown:
            self.shown = event["percent"]
            await self.send_percent(event["percent"])


class HasOneGroup(RightProgress):
    """Sends the percent of each job to all clients."""

    diagnosis = "wrong-room"

    @classmethod
    def group_of(cls, job):
        return "jobs"

    async def job_progress(self, event):
        await self.show(event["percent"])


class LeavesItOpen(RightProgress):
    """Sends the last percent, and leaves it to the client to close."""

    diagnosis = "not-closed-as-asked"

    async def send_percent(self, percent):
        await self.send({"type": "websocket.send", "text": f"{percent} %"})


class NeverLeaves(RightProgress):
    """Believes that a group removes a consumer that has ended."""

    diagnosis = "group-leak"

    async def __call__(self, scope, receive, send):
        self.job = scope["url_route"]["kwargs"]["number"]
        await AsyncConsumer.__call__(self, scope, receive, send)


class ReadsInTheLoop(RightProgress):
    """Reads the row with the sync method, in async code."""

    diagnosis = "orm-in-async"

    async def show_row(self):
        await self.show(Job.objects.get(id=self.job).percent)
