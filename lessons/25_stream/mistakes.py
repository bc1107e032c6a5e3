"""Lesson 25: the classic wrong versions of the answers."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


async def next_word(question, number):
    await asyncio.sleep(0.5)
    words = f"You asked: {question}".split()
    if number > len(words):
        return None
    if words[number - 1] == "impossible":
        raise RuntimeError("The model has no answer.")
    return words[number - 1]


class RightAnswers(AsyncConsumer):
    """The right consumer. Each version below breaks one method."""

    may_wait = 2

    async def __call__(self, scope, receive, send):
        self.task = None
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.end_task()

    async def end_task(self):
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def websocket_connect(self, event):
        self.questions = asyncio.Queue(self.may_wait)
        self.question = None
        self.unconfirmed = 0
        self.confirmed = asyncio.Event()
        await self.send({"type": "websocket.accept"})
        self.start_task()

    def start_task(self):
        self.question = None
        self.task = asyncio.create_task(self.answer_questions())

    async def answer_questions(self):
        while True:
            self.question = await self.questions.get()
            try:
                await self.answer(self.question)
            except Exception:
                await self.send_text("failed")
            self.question = None

    async def answer(self, question):
        number = 1
        while (word := await self.word(question, number)) is not None:
            self.unconfirmed += 1
            await self.send_text(f"{number} {word}")
            number += 1
        await self.send_text("end")

    async def word(self, question, number):
        await self.wait_for_room()
        return await next_word(question, number)

    async def wait_for_room(self):
        while self.unconfirmed >= 3:
            self.confirmed.clear()
            await self.confirmed.wait()

    async def websocket_receive(self, event):
        text = event.get("text")
        if text == "ok":
            self.confirm()
        elif text == "stop":
            if self.question is not None:
                await self.stop()
        elif text is not None:
            await self.ask(text)

    def confirm(self):
        if self.unconfirmed > 0:
            self.unconfirmed -= 1
            self.confirmed.set()

    async def stop(self):
        await self.end_task()
        await self.send_text("stopped")
        self.start_task()

    async def ask(self, text):
        try:
            self.questions.put_nowait(text)
        except asyncio.QueueFull:
            await self.send_text("busy")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class AnswersInTheHandler(RightAnswers):
    """Answers in the handler, which waits for an `ok` that no handler can receive."""

    diagnosis = "loop-in-handler"

    async def ask(self, text):
        await self.answer(text)


class TrustsSend(RightAnswers):
    """Believes that send() waits until the client has read."""

    diagnosis = "window-ignored"

    async def wait_for_room(self):
        pass


class LimitsSend(RightAnswers):
    """Puts a semaphore around send(): it counts calls of send(), and each returns at once."""

    diagnosis = "window-ignored"

    async def websocket_connect(self, event):
        self.window = asyncio.Semaphore(3)
        await super().websocket_connect(event)

    async def wait_for_room(self):
        pass

    async def send_text(self, text):
        async with self.window:
            await super().send_text(text)


class CountsPerAnswer(RightAnswers):
    """Begins each answer with an empty window; the client has not read the last one."""

    diagnosis = "window-per-answer"

    async def answer(self, question):
        self.unconfirmed = 0
        await super().answer(question)


class SavesUpRoom(RightAnswers):
    """Takes every `ok` as room for one more piece, also before there was one."""

    diagnosis = "room-saved-up"

    def confirm(self):
        self.unconfirmed -= 1
        self.confirmed.set()


class LosesRoom(RightAnswers):
    """Takes room for each word, and does not give it back if there is no word."""

    diagnosis = "window-stays-closed"

    async def word(self, question, number):
        await self.wait_for_room()
        self.unconfirmed += 1
        return await next_word(question, number)

    async def answer(self, question):
        number = 1
        while (word := await self.word(question, number)) is not None:
            await self.send_text(f"{number} {word}")
            number += 1
        await self.send_text("end")


class ForgetsToWake(RightAnswers):
    """Reduces the count, and leaves the task waiting."""

    diagnosis = "window-stays-closed"

    def confirm(self):
        if self.unconfirmed > 0:
            self.unconfirmed -= 1


class AsksFirst(RightAnswers):
    """Waits for room after the call of the model, which works before there is room."""

    diagnosis = "asked-without-room"

    async def word(self, question, number):
        word = await next_word(question, number)
        await self.wait_for_room()
        return word


class StopsBetweenPieces(RightAnswers):
    """Sets a flag for the stop; a task that waits for room never looks at it."""

    diagnosis = "stream-not-stopped"
    is_stopped = False

    async def stop(self):
        self.is_stopped = True

    async def word(self, question, number):
        word = await super().word(question, number)
        if self.is_stopped:
            self.is_stopped = False
            raise EOFError
        return word

    async def answer(self, question):
        try:
            await super().answer(question)
        except EOFError:
            await self.send_text("stopped")


class SaysThatItStops(RightAnswers):
    """Sends `stopped`, and forgets to cancel the task."""

    diagnosis = "stream-not-stopped"

    async def stop(self):
        await self.send_text("stopped")


class WaitsForTheEnd(RightAnswers):
    """Awaits the task without cancelling it: the handler waits for an answer without end."""

    diagnosis = "loop-in-handler"

    async def stop(self):
        await self.task
        await self.send_text("stopped")


class StopsForever(RightAnswers):
    """Cancels the task that takes the questions, and starts no other."""

    diagnosis = "next-question-lost"

    async def stop(self):
        await self.end_task()
        await self.send_text("stopped")


class EmptiesTheQueue(RightAnswers):
    """Makes a new queue at a stop; the waiting questions were in the old one."""

    diagnosis = "next-question-lost"

    def start_task(self):
        self.questions = asyncio.Queue(2)
        super().start_task()


class ReportsTheStop(RightAnswers):
    """Catches the CancelledError of a stop, and reports it as a failure."""

    diagnosis = "stop-reported-as-failure"

    async def answer(self, question):
        try:
            await super().answer(question)
        except BaseException as error:
            await self.send_text("failed")
            if isinstance(error, asyncio.CancelledError):
                raise


class LosesTheFailure(RightAnswers):
    """Lets the exception end the task; no handler awaits the task, so none sees it."""

    diagnosis = "task-died"

    async def answer_questions(self):
        while True:
            self.question = await self.questions.get()
            await self.answer(self.question)
            self.question = None


class HidesTheFailure(RightAnswers):
    """Catches the exception, and sends nothing."""

    diagnosis = "failure-not-reported"

    async def answer(self, question):
        try:
            await super().answer(question)
        except RuntimeError:
            pass


class EndsAfterAFailure(RightAnswers):
    """Reports the failure outside the loop, so no further question is answered."""

    diagnosis = "next-question-lost"

    async def answer_questions(self):
        try:
            while True:
                self.question = await self.questions.get()
                await self.answer(self.question)
                self.question = None
        except RuntimeError:
            await self.send_text("failed")


class AnswersAtOnce(RightAnswers):
    """Starts a task for each question."""

    diagnosis = "answers-mixed"

    async def websocket_connect(self, event):
        self.tasks = []
        await super().websocket_connect(event)

    async def ask(self, text):
        self.question = text
        self.tasks.append(asyncio.create_task(self.answer(text)))

    async def end_task(self):
        for task in self.tasks:
            task.cancel()
        await super().end_task()


class QueuesEverything(RightAnswers):
    """Uses a queue without a limit."""

    diagnosis = "queue-unbounded"

    may_wait = 0  # a queue of this size has no limit


class LeavesTheAnswer(RightAnswers):
    """Runs each answer as a second task, and cancels only the first one."""

    diagnosis = "task-left-behind"

    async def answer_questions(self):
        while True:
            self.question = await self.questions.get()
            self.running = asyncio.create_task(self.answer(self.question))
            await asyncio.wait([self.running])
            if not self.running.cancelled() and self.running.exception():
                await self.send_text("failed")
            self.question = None

    async def stop(self):
        self.running.cancel()
        await self.send_text("stopped")


class CleansUpOnDisconnect(RightAnswers):
    """Believes that websocket_disconnect is the end of every connection."""

    diagnosis = "cleanup-skipped"

    async def __call__(self, scope, receive, send):
        await AsyncConsumer.__call__(self, scope, receive, send)

    async def websocket_disconnect(self, event):
        await self.end_task()
        raise StopConsumer()


class SharesTheWindow(RightAnswers):
    """Keeps the count on the class, so the pieces of one client fill the window of another."""

    diagnosis = "wrong-connection"
    count = 0

    @property
    def unconfirmed(self):
        return self.count

    @unconfirmed.setter
    def unconfirmed(self, value):
        SharesTheWindow.count = value
