"""Lesson 10: is each event spared the database's thread, but the one that needs it?"""

import asyncio

from channels.layers import get_channel_layer

from lessons.judge import CheckFailed, diagnose


def said(text):
    return {"type": "websocket.send", "text": text}


def thread_jobs_started():
    """How many jobs this loop has given to threads."""
    return asyncio.get_running_loop().thread_jobs_started


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


async def tell(client, message):
    """Let the channel layer bring the consumer a message, and wait until it is dealt with."""
    layer = get_channel_layer()
    for channel in list(layer.channels):
        await layer.send(channel, message)
    await client.receive_nothing(timeout=0)


async def spared(client, action):
    before = thread_jobs_started()
    await action
    if thread_jobs_started() > before:
        diagnose(
            "needless-thread-hop",
            client,
            f"Jobs handed to a thread: {thread_jobs_started() - before}.",
        )


async def test_answers_as_before(communicator, database):
    """Each frame gets "pong", and accounts.changed gets the number of accounts."""
    client = await enter(communicator)
    for frame in ({"text_data": "ping"}, {"bytes_data": b""}):
        await client.send_to(**frame)
        client.expect(said("pong"))
    for name in ("ada", "grace"):
        await database.add_account(name)
        await tell(client, {"type": "accounts.changed"})
        client.expect(said("1 accounts" if name == "ada" else "2 accounts"))


async def test_handlers_that_ask_no_database_are_spared(communicator):
    """For connect, frames and disconnect, no job is handed to a thread."""
    client = communicator()
    await spared(client, client.connect())
    await spared(client, client.send_to(text_data="ping"))
    await spared(client, client.send_to(bytes_data=b"ping"))
    await spared(client, client.disconnect())


async def test_the_database_is_found_again(communicator, database):
    """When the database's server was restarted, accounts.changed gets its answer."""
    client = await enter(communicator)
    for _ in range(2):
        await database.restart()
        await tell(client, {"type": "accounts.changed"})
        client.expect(said("0 accounts"))


async def test_a_type_without_a_handler_is_refused(communicator):
    """An event that has no handler ends the consumer with ValueError, as before."""
    client = await enter(communicator)
    try:
        await tell(client, {"type": "no.such.event"})
    except CheckFailed as red:
        if not isinstance(red.__cause__, ValueError):
            raise
    else:
        diagnose("missing-handler-ignored", client)


async def test_a_type_with_an_underscore_in_front_is_refused(communicator):
    """So does an event of type __eq__, although each object has a method of that name."""
    client = await enter(communicator)
    try:
        await tell(client, {"type": "__eq__"})
    except CheckFailed as red:
        if not isinstance(red.__cause__, ValueError):
            diagnose("any-method", client, str(red.__cause__))
    else:
        diagnose("any-method", client)
