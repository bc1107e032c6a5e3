"""Daphne with an application that answers HTTP requests with the events that a client asks for.

As in scripted_server.py, a request's query string is `NUMBER:REPLIES`, and the application prints
the events of the request. The paths of `DEMOS` lead to the worked examples of lesson 8 instead.
"""

import ast
from urllib.parse import unquote

import django
from django.conf import settings

# Before the demos, which import models.
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
django.setup()

from async_demo.consumers import Heartbeat  # noqa: E402
from async_demo.generic_http import RawLength  # noqa: E402
from tests.support.scripted_events import play_http  # noqa: E402
from tests.support.servers.daphne_server import FastReactor, serve  # noqa: E402

DEMOS = {"/heartbeat": Heartbeat, "/length": RawLength}


async def application(scope, receive, send):
    number, _, replies = unquote(scope["query_string"].decode()).partition(":")

    async def receive_and_print():
        event = await receive()
        # Print the length of the body: it can be long.
        print(number, {**event, "body": len(event["body"])} if "body" in event else event)
        return event

    try:
        if demo := DEMOS.get(scope["path"]):
            await demo.as_asgi()(scope, receive_and_print, send)
        else:
            await play_http(ast.literal_eval(replies), receive_and_print, send)
    finally:
        print(number, "over", flush=True)


class PrintingReactor(FastReactor):
    """Prints the error of Daphne's periodic check. Daphne itself does not report it."""

    def callLater(self, delay, call):
        def call_and_print():
            try:
                call()
            except Exception as error:
                print("checker died of", error, flush=True)
                raise

        return super().callLater(delay, call_and_print)


if __name__ == "__main__":
    serve(application, PrintingReactor, application_close_timeout=0.3)
