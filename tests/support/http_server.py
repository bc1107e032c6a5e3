"""Daphne as it is, answering HTTP with lists of replies: the program that real_daphne.py starts.

As in facts_server.py, a request's query string is `NUMBER:REPLIES`, and what the application sees
of it is printed. Among the replies "raise" and "return" do what they say, "ask" waits for the next
event, and "hold" for nothing, for an hour. `/consumer` leads to the demo of lesson 8 instead.
"""

import ast
import asyncio
from urllib.parse import unquote

import django
from django.conf import settings

# Before the demos, which import models.
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
django.setup()

from async_demo.consumers import Heartbeat  # noqa: E402
from tests.support.facts_server import QuickReactor, serve  # noqa: E402


async def application(scope, receive, send):
    number, _, replies = unquote(scope["query_string"].decode()).partition(":")

    async def heard():
        event = await receive()
        # Long bodies would only be counted.
        print(number, {**event, "body": len(event["body"])} if "body" in event else event)
        return event

    try:
        if scope["path"] == "/consumer":
            await Heartbeat.as_asgi()(scope, heard, send)
        else:
            await play(ast.literal_eval(replies), heard, send)
    finally:
        print(number, "over", flush=True)


async def play(replies, receive, send):
    while (await receive())["more_body"]:
        pass
    for reply in replies:
        if reply == "raise":
            raise ValueError("a bug")
        if reply == "return":
            return
        if reply == "hold":
            await asyncio.sleep(3600)
        await (receive() if reply == "ask" else send(reply))
    await receive()


class TellingReactor(QuickReactor):
    """Says so where what Daphne does once a second raises, which Daphne keeps to itself."""

    def callLater(self, delay, call):
        def told():
            try:
                call()
            except Exception as error:
                print("checker died of", error, flush=True)
                raise

        return super().callLater(delay, told)


if __name__ == "__main__":
    serve(application, TellingReactor, application_close_timeout=0.1)
