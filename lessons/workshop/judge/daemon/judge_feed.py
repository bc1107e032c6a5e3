"""Reads what the judge reports, in an event loop."""

import asyncio
import json
from collections.abc import AsyncIterator

from lessons.workshop.judge.daemon import judge_client

MAX_MESSAGE = 64 * 1024 * 1024  # bytes: the progress in all lessons


async def follow_judge(port: int, token: str) -> AsyncIterator[dict]:
    """The messages of the judge at this port, until it ends. ExerciseJudge lists them.

    The first message with `progress` also has `judging`, and the progress in all lessons. Raises
    OSError or ValueError if the connection breaks.
    """
    reader, writer = await asyncio.open_connection(judge_client.HOST, port, limit=MAX_MESSAGE)
    try:
        writer.write(json.dumps({"token": token, "follow": True}).encode() + b"\n")
        while line := await reader.readline():
            yield json.loads(line)
    finally:
        writer.close()
