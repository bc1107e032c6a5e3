"""Stores the reports of all sockets of a process: those that wait, in one transaction.

SQLite has one writer at a time, and a process that waits for its turn sleeps for some milliseconds.
So a transaction for each report would limit two servers to some eighty reports per second.
"""

import asyncio
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from lessons.workshop.room.store.reports import NewReport, save_reports

MAX_BATCH = 100  # reports in one transaction: other writers wait for its end

_writers = WeakKeyDictionary()  # by event loop; a server has one


async def save_report(report: NewReport) -> bool:
    """Return whether it is new, after the commit. Raises StudentDeleted and DatabaseError."""
    writer = _writers.setdefault(asyncio.get_running_loop(), ReportWriter())
    return await writer.save(report)


class ReportWriter:
    """One task writes while reports wait. It ends when none does."""

    def __init__(self):
        self._waiting: list[tuple[NewReport, asyncio.Future]] = []
        self._writing: asyncio.Task | None = None

    async def save(self, report: NewReport) -> bool:
        saved = asyncio.get_running_loop().create_future()
        self._waiting.append((report, saved))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        result = await saved
        if isinstance(result, Exception):
            raise result
        return result

    async def _write(self):
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            for (_, saved), result in zip(batch, await self._save(batch), strict=True):
                if not saved.done():  # its socket may have ended
                    saved.set_result(result)

    async def _save(self, batch) -> list[bool | Exception]:
        try:
            return await database_sync_to_async(save_reports)([report for report, _ in batch])
        except Exception as error:  # such as a database that is locked or unreachable
            return [error] * len(batch)
