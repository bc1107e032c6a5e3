"""An assistant in front of a language model, which streams its answer over HTTP."""

import asyncio
import logging
from contextlib import aclosing

from async_demo.storyteller import Storyteller

MODEL = "127.0.0.1", 8080
logger = logging.getLogger(__name__)


async def tokens(prompt):
    """The lines of the model's answer. A client library has such a generator, too."""
    reader, writer = await asyncio.open_connection(*MODEL)
    try:
        body = prompt.encode()
        head = f"POST / HTTP/1.0\r\nHost: model\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await reader.readuntil(b"\r\n\r\n")
        async for line in reader:
            yield line.decode().rstrip("\n")
    finally:
        writer.close()  # then the model stops too


class Assistant(Storyteller):
    """Takes `more` and `stop` as the storyteller does. Four answers run at one time."""

    slots = asyncio.Semaphore(4)  # on the class: all connections of the process share it
    patience = 30  # seconds in which the client must send `more`

    async def tell(self, prompt):
        try:
            async with self.slots, aclosing(tokens(prompt)) as answer:
                async for token in answer:
                    async with asyncio.timeout(self.patience):
                        await self.take_credit()
                    await self.send_text(token)
            await self.send_text("the end")
        except Exception:
            logger.exception("An answer failed.")
            await self.send_text("failed")
