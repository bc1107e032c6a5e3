"""Rejects a handshake with a path that has no route, and logs one line.

Channels raises an exception: Daphne logs a traceback, and the client receives HTTP 500.
"""

import logging

NO_ROUTE = "No route found for path "  # how the ValueError of Channels' URLRouter begins
MAX_LENGTH = 200  # characters of a path in the log

logger = logging.getLogger(__name__)


def reject_unknown_paths(application):
    """Answer a handshake with 403 if no router in `application` knows its path."""

    async def rejecting(scope, receive, send):
        try:
            await application(scope, receive, send)
        except ValueError as error:
            if scope["type"] != "websocket" or not str(error).startswith(NO_ROUTE):
                raise
            path = ascii(scope["path"])[:MAX_LENGTH]  # a line break would begin another line
            logger.warning("No route for the path of a WebSocket: %s", path)
            await send({"type": "websocket.close"})  # before the accept: HTTP 403

    return rejecting
