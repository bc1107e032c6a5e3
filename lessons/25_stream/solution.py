"""Lesson 25, solved: answers that arrive word by word."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


async def next_word(question, number):
    """Word `number` of the answer, or None after the last one."""
    await asyncio.sleep(0.5)
    words = f"You asked: {question}".split()
    if number > len(words):
        return None
    if words[number - 1] == "impossible":
        raise RuntimeError("The model has no answer.")
    return words[number - 1]


class Answers(AsyncConsumer):
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
        self.questions = asyncio.Queue(2)
        self.unconfirmed = 0
        self.confirmed = asyncio.Event()
        await self.send({"type": "websocket.accept"})
        self.start_task()

    def start_task(self):
        self.question = None  # the one that the task answers now
        self.task = asyncio.create_task(self.answer_questions())

    async def answer_questions(self):
        while True:
            self.question = await self.questions.get()
            try:
                await self.answer(self.question)
            except Exception:  # a stop raises CancelledError, which is not an Exception
                await self.send_text("failed")
            self.question = None

    async def answer(self, question):
        number = 1
        while (word := await self.word_in_window(question, number)) is not None:
            self.unconfirmed += 1
            await self.send_text(f"{number} {word}")
            number += 1
        await self.send_text("end")

    async def word_in_window(self, question, number):
        # Wait first: a word that is not read need not be made.
        while self.unconfirmed >= 3:
            self.confirmed.clear()
            await self.confirmed.wait()
        return await next_word(question, number)

    async def websocket_receive(self, event):
        text = event.get("text")
        if text == "ok":
            self.unconfirmed = max(0, self.unconfirmed - 1)
            self.confirmed.set()
        elif text == "stop":
            if self.question is not None:
                await self.end_task()  # from now on, it cannot send a piece
                await self.send_text("stopped")
                self.start_task()  # the waiting questions are still in the queue
        elif text is not None:
            try:
                self.questions.put_nowait(text)
            except asyncio.QueueFull:
                await self.send_text("busy")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
