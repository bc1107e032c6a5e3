"""An ASGI middleware that records each message between server and application."""

import asyncio
from functools import partial

from .events import error_text
from .recorder import Connection, Recorder, TrackedMessage, current_connection

# The keys of a scope that a message of the type "scope" has.
_SENT_BY_CLIENT = "path", "query_string", "headers", "subprotocols", "client", "method", "channel"


class RecordingMiddleware:
    """An ASGI 3 application around `application` that records each call as one connection.

    If no one reads the recorder when the call begins, the middleware only calls `application`.
    """

    def __init__(self, application, recorder: Recorder):
        self.application = application
        self.recorder = recorder

    async def __call__(self, scope, receive, send):
        if not self.recorder.is_on:
            await self.application(scope, receive, send)
            return
        connection = Connection(self.recorder)
        # A worker has no client: its events are jobs from the channel layer.
        lane = "layer" if scope["type"] == "channel" else "client"
        sent = {name: scope[name] for name in _SENT_BY_CLIENT if scope.get(name)}
        connection.record(lane, "in", {"type": "scope", **sent})
        unread: list[TrackedMessage] = []

        async def recorded_receive():
            connection.handler_returned(lane)
            message = TrackedMessage(await receive(), partial(connection.handler_started, lane))
            unread[:] = [message]
            return message

        async def recorded_send(message):
            connection.record(lane, "out", message)
            await send(message)

        token = current_connection.set(connection)
        try:
            await self.application(scope, recorded_receive, recorded_send)
        except asyncio.CancelledError:
            connection.record("consumer", "mark", {"type": "cancelled"})
            raise
        except Exception as error:
            text = error_text(error)
            connection.record("consumer", "mark", {"type": "raised", "error": text})
            raise
        else:
            for message in unread:
                message.type_was_read()
            connection.record("consumer", "mark", {"type": "finished"})
        finally:
            current_connection.reset(token)
