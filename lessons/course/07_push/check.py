"""Lesson 7: does the server speak first, and is nothing left when the connection has ended?"""

import asyncio

from lessons.judge import diagnose


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect(otherwise="pushed-too-fast")
    return client


def said(text):
    return {"type": "websocket.send", "text": text}


async def read_out(client, number, otherwise=None):
    """Within the next second comes `number`, at its end and not before."""
    if not await client.receive_nothing(timeout=0.9):
        diagnose(otherwise or "pushed-too-fast", client)
    await client.receive_nothing(timeout=0.2)
    if len(client.unread) != 1:
        otherwise = otherwise or ("pushed-too-fast" if client.unread else "no-push")
    client.expect(said(number), otherwise=otherwise)


async def ask(client, so_far, otherwise=None, **frame):
    """A frame, by default one of text, is answered at once, whatever the stopwatch does."""
    await client.send_to(**frame or {"text_data": "?"})
    if not client.unread and client.is_busy:
        diagnose("loop-in-handler", client)
    if len(client.unread) > 1:
        otherwise = otherwise or "pushed-too-fast"
    client.expect(said(f"{so_far} so far"), otherwise=otherwise)


async def stays_silent(client, otherwise):
    """Nothing is sent any more for a connection that has ended."""
    crossed = len(client.transcript)
    await asyncio.sleep(5)
    if len(client.transcript) > crossed:
        diagnose(otherwise, client)


async def test_the_server_speaks_first(communicator):
    """A client that says nothing gets 1, 2 and 3, a second apart, and no handler is kept busy."""
    client = await enter(communicator)
    for number in ("1", "2", "3"):
        await read_out(client, number)
    if client.is_busy:
        diagnose("loop-in-handler", client)


async def test_frames_are_answered_in_between(communicator):
    """A frame is answered at once, and the stopwatch goes on at its pace."""
    client = await enter(communicator)
    await ask(client, 0)
    await read_out(client, "1")
    await ask(client, 1)
    await ask(client, 1)
    await read_out(client, "2")
    await ask(client, 2, bytes_data=b"?")
    await read_out(client, "3")


async def test_each_connection_has_its_own(communicator):
    """Of two clients, each has its own seconds, and goes on when the other one has left."""
    first = await enter(communicator)
    await read_out(first, "1")
    second = await enter(communicator)
    await ask(second, 0, otherwise="wrong-connection")
    await ask(first, 1, otherwise="wrong-connection")
    await asyncio.sleep(1.05)  # what is due after 1 s has come
    second.expect(said("1"), otherwise="wrong-connection")
    first.expect(said("2"), otherwise="wrong-connection")
    await second.disconnect(1001)
    await read_out(first, "3", otherwise="wrong-connection")
    await first.disconnect(1001)


async def test_ends_when_the_client_leaves(communicator):
    """The stopwatch ends when the client leaves, with 1000, 1001, 1006, 4001 or no code."""
    for code in (1000, 1001, 1006, 4001, None):
        client = await enter(communicator)
        await read_out(client, "1")
        await client.disconnect(code)
        await stays_silent(client, otherwise="task-left-behind")


async def test_ends_when_a_handler_raises(communicator):
    """The stopwatch ends when an exception in a handler ends the connection."""
    client = await enter(communicator)
    await read_out(client, "1")
    await client.crash()
    await stays_silent(client, otherwise="cleanup-skipped")


async def test_ends_when_the_server_cancels(communicator):
    """The stopwatch ends when the server cancels the consumer, as on SIGTERM and after 10 s."""
    client = await enter(communicator)
    await read_out(client, "1")
    await client.kill()
    await stays_silent(client, otherwise="cleanup-skipped")


async def test_an_early_end_does_no_harm(communicator):
    """A consumer that is cancelled before websocket_connect has run ends without an error."""
    client = communicator()
    await client.kill()
