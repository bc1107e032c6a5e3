"""One log line for an error of the connection to Redis, instead of a traceback.

During an outage, every consumer of a process raises the same exception, and so does each new
connection. Clients connect again and again, so the tracebacks would fill the log.
"""

import logging
import sys

MAX_CAUSES = 20  # an exception can be the cause of itself


class RedisOutageFilter(logging.Filter):
    """Writes such an error as one line. All other records pass unchanged.

    Set it on loggers, not on handlers: Daphne, asyncio and Channels log without a handler.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if error := _redis_error_of(record):
            record.msg = "Redis does not answer: %s: %s"
            record.args = (type(error).__name__, error)
            record.exc_info = record.exc_text = record.stack_info = None
        return True


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
