"""Lesson 25: a story that arrives word by word, as the answer of a language model does."""

import asyncio
import logging
from contextlib import aclosing

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

logger = logging.getLogger(__name__)

STORIES = {
    "hare": "The hare slept and the tortoise won the race",
    "fox": "The fox called the grapes sour",
}


async def words_of(title):
    """Stands for a language model: a word each half second. KeyError for an unknown title."""
    for word in STORIES[title].split():
        await asyncio.sleep(0.5)
        yield word


class Storyteller(AsyncConsumer):
    """Sends one story at a time: three words, and after each `more` of the client three more."""

    async def __call__(self, scope, receive, send):
        self.story = None  # the task that sends the words
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.end_story()

    async def end_story(self):
        if self.story is not None:
            self.story.cancel()
            await asyncio.gather(self.story, return_exceptions=True)

    async def websocket_connect(self, event):
        self.has_credit = asyncio.Event()
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        text = event.get("text")
        is_telling = self.story is not None and not self.story.done()
        if text == "more":
            self.give_credit()
        elif text == "stop":
            if is_telling:
                await self.end_story()
                await self.send_text("stopped")
        elif is_telling:
            await self.send_text("busy")
        else:
            self.give_credit()
            self.story = asyncio.create_task(self.tell(text))

    def give_credit(self):
        self.credit = 3  # words; it does not add up, so the client never has more
        self.has_credit.set()

    async def take_credit(self):
        await self.has_credit.wait()
        self.credit -= 1
        if self.credit == 0:
            self.has_credit.clear()

    async def tell(self, title):
        try:
            # aclosing() ends words_of() with this block, also after a stop or a failure.
            async with aclosing(words_of(title)) as words:
                async for word in words:
                    await self.take_credit()
                    await self.send_text(word)
            await self.send_text("the end")
        except Exception:  # a stop raises CancelledError, which is not an Exception
            logger.exception("The story %r failed.", title)
            await self.send_text("failed")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
