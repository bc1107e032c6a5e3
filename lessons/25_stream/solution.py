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
        # Both belong to the connection: a new answer does not get a new window.
        self.unconfirmed = 0
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.is_answering = False
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.answer_questions())

    async def answer_questions(self):
        while True:
            question = await self.questions.get()
            self.is_answering = True
            try:
                await self.answer(question)
            except Exception:  # a stop raises CancelledError, which is not an Exception
                await self.send_text("failed")
            self.is_answering = False

    async def answer(self, question):
        number = 1
        while (word := await self.word_in_window(question, number)) is not None:
            await self.send_text(f"{number} {word}")
            number += 1
        await self.send_text("end")

    async def word_in_window(self, question, number):
        # Wait first: a word that is not read need not be made.
        await self.has_room.wait()
        word = await next_word(question, number)
        if word is not None:
            self.unconfirmed += 1
            if self.unconfirmed == 3:
                self.has_room.clear()
        return word

    async def websocket_receive(self, event):
        text = event.get("text")
        if text == "ok":
            if self.unconfirmed > 0:  # otherwise a client could save up room
                self.unconfirmed -= 1
                self.has_room.set()
        elif text == "stop":
            if self.is_answering:
                await self.stop()
        elif text is not None:
            try:
                self.questions.put_nowait(text)
            except asyncio.QueueFull:
                await self.send_text("busy")

    async def stop(self):
        # When the task has ended, it cannot send a piece after `stopped`.
        await self.end_task()
        await self.send_text("stopped")
        # The waiting questions are in the queue, and a new task continues with them.
        self.is_answering = False
        self.task = asyncio.create_task(self.answer_questions())

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
