"""Lesson 25: answers that arrive word by word.

A text frame is a question, except `ok` and `stop`. `next_word` stands for a language model: each
call takes half a second. The client receives the words of an answer as pieces with numbers from 1
on, `1 You`, `2 asked:`, and after the last word `end`. Call `next_word` for one word after the
other, once for each, and do not change it.

The consumer answers the questions one after the other. While it answers one, two more may wait. A
further question gets `busy`, and is forgotten.

`ok` confirms one piece. The consumer calls `next_word` only while fewer than three pieces are
unconfirmed, and pieces of earlier answers count too. This also holds for the last call, which
returns None. Without an unconfirmed piece, `ok` changes nothing.

`stop` ends the current answer at once: the client gets `stopped` instead of further pieces and
`end`. Then the next question begins. Without a current answer, `stop` changes nothing.

If `next_word` raises an exception, the client gets `failed` instead of further pieces and `end`.
Then the next question begins.

A binary frame changes nothing. An empty text frame is a question. Each connection has its own
questions and pieces. Its tasks end with the connection, however it ends: the client leaves, a
handler raises, or the server cancels the consumer, even before websocket_connect has run. The
consumer does not hide an exception that a handler raises.
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
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.answer_questions())

    async def answer_questions(self):
        while True:
            await self.answer(await self.questions.get())

    async def answer(self, question):
        # TODO 1: wait until fewer than three pieces are unconfirmed, and report a failure.
        number = 1
        while (word := await next_word(question, number)) is not None:
            await self.send_text(f"{number} {word}")
            number += 1
        await self.send_text("end")

    async def websocket_receive(self, event):
        text = event.get("text")
        # TODO 2: `ok` and `stop` are not questions.
        if text is not None:
            try:
                self.questions.put_nowait(text)
            except asyncio.QueueFull:
                await self.send_text("busy")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
