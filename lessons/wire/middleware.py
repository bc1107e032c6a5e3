"""Stands between server and application, and records each message that passes."""

import asyncio

from lessons.wire.recorder import Connection, Recorder, TrackedMessage, current_connection


class RecordingMiddleware:
    """An ASGI 3 application around `application` that records one connection for each call.

    Where nobody is there to see it, as the call begins, it steps aside and costs nothing.
    """

    def __init__(self, application, recorder: Recorder):
        self.application = application
        self.recorder = recorder

    async def __call__(self, scope, receive, send):
        if not self.recorder.is_on:
            await self.application(scope, receive, send)
            return
        connection = Connection(self.recorder)
        # A worker has no client: its events are jobs, and come from the channel layer.
        lane = "layer" if scope["type"] == "channel" else "client"
        connection.record(lane, "in", scope_message(scope))
        waiting: list[TrackedMessage] = []

        async def recorded_receive():
            connection.ask(lane)
            message = TrackedMessage(
                await receive(), lambda message: connection.begin(lane, message)
            )
            waiting[:] = [message]
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
            text = f"{type(error).__name__}: {error}"
            connection.record("consumer", "mark", {"type": "raised", "error": text})
            raise
        else:
            for message in waiting:
                message.seen()
            connection.record("consumer", "mark", {"type": "finished"})
        finally:
            current_connection.reset(token)


def scope_message(scope: dict) -> dict:
    """The part of a scope that came off the wire, as a message of type "scope"."""
    names = ("path", "query_string", "headers", "subprotocols", "client", "method", "channel")
    return {"type": "scope", **{name: scope[name] for name in names if scope.get(name)}}
