"""What the Python that runs the tests says in some exceptions: the words differ by version."""

import json
import re


def not_awaitable(value: object) -> str:
    """The message of the TypeError for `await value`."""

    async def wait():
        await value

    try:
        wait().send(None)
    except TypeError as error:
        return str(error)
    raise AssertionError(f"{value!r} can be awaited")


def nested_too_deep() -> str:
    """The message of the RecursionError for JSON with very many brackets, up to its first number.

    Since Python 3.14 the message says how much of the thread's stack was in use.
    """
    try:
        json.loads("[" * 100_000)
    except RecursionError as error:
        return re.split(r"\d", str(error))[0]
    raise AssertionError("Python reads so many brackets")
