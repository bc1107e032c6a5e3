"""Lesson 5: does each connection get its own lines back, awaited?"""

from lessons.judge import diagnose


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


async def note(client, line, *lines, otherwise=None):
    """Send `line`; the answer is `lines`. `otherwise` is for an answer that is not."""
    await client.send_to(text_data=line)
    if client.unread and client.unread[0].get("bytes") is not None:
        otherwise = "text-became-bytes"
    answer = {"type": "websocket.send", "text": " / ".join(lines)}
    client.expect(answer, otherwise=otherwise if client.unread else "no-reply")


async def back(client, data):
    """Send `data`; it comes back."""
    await client.send_to(bytes_data=data)
    otherwise = None
    if client.unread and client.unread[0].get("text") is not None:
        otherwise = "bytes-became-text"
    client.expect({"type": "websocket.send", "bytes": data}, otherwise=otherwise)


async def test_a_line_comes_back(communicator):
    """The first line comes back as it is."""
    client = await enter(communicator)
    await note(client, "milk", "milk", otherwise="reply-altered")


async def test_lines_are_kept(communicator):
    """Each line is answered with all lines so far, the empty one and the repeated one too."""
    client = await enter(communicator)
    lines = ["milk", "eggs", "", "eggs", "None", "a / b", "ä"]
    for number, line in enumerate(lines, start=1):
        await note(client, line, *lines[:number], otherwise="reply-altered")


async def test_bytes_come_back_and_are_not_noted(communicator):
    """A binary frame comes back as it came, and is not noted."""
    client = await enter(communicator)
    await back(client, b"\x00\xff")
    await note(client, "milk", "milk", otherwise="reply-altered")
    await back(client, b"cheese")
    await note(client, "eggs", "milk", "eggs", otherwise="reply-altered")


async def test_an_unused_key_may_be_none(communicator):
    """Frames of servers that send the unused key as None are answered in the same way."""
    client = await enter(communicator)
    await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"a"})
    client.expect({"type": "websocket.send", "bytes": b"a"}, otherwise="none-as-text")
    await client.send_input({"type": "websocket.receive", "text": "b", "bytes": None})
    client.expect({"type": "websocket.send", "text": "b"}, otherwise="none-as-text")


async def test_each_connection_has_its_own_lines(communicator):
    """Of two clients at once, each has a notepad of its own, also when one has left."""
    first = await enter(communicator)
    await note(first, "milk", "milk")
    second = await enter(communicator)
    await note(second, "nails", "nails", otherwise="shared-mutable")
    first.expect(otherwise="wrong-connection")
    await note(first, "eggs", "milk", "eggs", otherwise="shared-mutable")
    second.expect(otherwise="wrong-connection")
    await first.disconnect()
    await note(second, "glue", "nails", "glue", otherwise="shared-mutable")


async def test_stops_whatever_the_code(communicator):
    """The consumer stops when the client leaves, with or without a code."""
    for code in (1000, 1001, None):
        client = await enter(communicator)
        await client.disconnect(code)
        client.expect()
