"""Lesson 25: answers that arrive word by word.

A text frame, even an empty one, is a question, except `ok` and `stop`. Ignore binary frames.
`next_word` stands for a language model: keep it. Call it once for each word. The client receives
numbered pieces, `1 You`, `2 asked:`, and after the last word `end`.

- The consumer answers one question at a time. Two more may wait. Another gets `busy`.
- `ok` confirms one piece, if any. Call `next_word` while, and only while, fewer than three pieces
  of all answers are unconfirmed.
- `stop` ends the current answer, if any, at once: the client gets `stopped` instead of further
  pieces and `end`.
- If `next_word` raises, the client gets `failed`.
- After `stopped` or `failed`, the next question begins.

However a connection ends, its tasks end, even if websocket_connect has not run. An exception of a
handler leaves the consumer.
"""

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


# The checks look for this name and this base class: keep both.
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
            # TODO 2: report a failure, and continue.
            await self.answer(self.question)
            self.question = None

    async def answer(self, question):
        # TODO 1: count the pieces, and wait until fewer than three are unconfirmed.
        number = 1
        while (word := await next_word(question, number)) is not None:
            await self.send_text(f"{number} {word}")
            number += 1
        await self.send_text("end")

    async def websocket_receive(self, event):
        text = event.get("text")
        # TODO 3: `ok` and `stop` are not questions.
        if text is not None:
            try:
                self.questions.put_nowait(text)
            except asyncio.QueueFull:
                await self.send_text("busy")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
