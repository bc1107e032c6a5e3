"""One log line a minute while Redis does not answer, instead of a traceback for each connection.

During an outage, every consumer of a process raises the same exception, and so does each new
connection. Clients connect again and again, so the tracebacks fill the log.
"""

import logging
import math
import sys
import threading
import time
from functools import cache

INTERVAL = 60  # seconds between two lines
MAX_CAUSES = 20  # an exception can be the cause of itself


class RedisOutageFilter(logging.Filter):
    """Lets one error of the connection to Redis pass each minute, as one line, and counts the rest.

    The line says how many errors came since the one before. All other records pass unchanged. Each
    process counts for itself. No thread reports the number later: Python would wait for the thread
    at the end of a process, and a student's exercise runs in processes that end soon.

    Set it on loggers, not on handlers: Daphne, asyncio and Channels log without a handler.
    """

    def __init__(self):
        super().__init__()
        # Records arrive from all threads. While one is counted, the garbage collector may delete a
        # task in the same thread, and asyncio then logs its exception.
        self._lock = threading.RLock()
        self._count = 0  # errors that were not logged
        self._next = -math.inf  # when the next line may come

    def filter(self, record: logging.LogRecord) -> bool:
        error = _redis_error_of(record)
        if error is None:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                self._count += 1
                return False
            self._next = now + INTERVAL
            count, self._count = self._count, 0
        more = f" ({count} more errors since the last such line)" if count else ""
        record.msg = "Redis does not answer%s: %s: %s"
        record.args = (more, type(error).__name__, error)
        record.exc_info = record.exc_text = record.stack_info = None
        return True


@cache
def redis_outage_filter() -> RedisOutageFilter:
    """The filter of this process. Django configures logging again in get_asgi_application()."""
    return RedisOutageFilter()


def _redis_error_of(record: logging.LogRecord) -> BaseException | None:
    """The error of the connection to Redis that the record reports, or that is the cause of it."""
    error = record.exc_info[1] if record.exc_info else None
    for _ in range(MAX_CAUSES):
        if error is None or _is_outage(error):
            return error
        # Not __context__: a bug in an except clause has the outage as its context.
        error = error.__cause__
    return None


def _is_outage(error: BaseException) -> bool:
    redis = sys.modules.get("redis.exceptions")  # without the import, no exception is redis-py's
    if redis is None or not isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
        return False
    # These are faults of the settings, not an outage.
    faults = (redis.AuthenticationError, redis.AuthorizationError, redis.MaxConnectionsError)
    return not isinstance(error, faults)
