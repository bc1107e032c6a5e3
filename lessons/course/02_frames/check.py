"""Lesson 2: does every frame come back as what it was, with its number, to its own client?"""

import random

from lessons.judge import diagnose


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


def stamped(client, otherwise="reply-altered", **payload):
    """The one frame that has come carries this payload; `otherwise` is for one that does not."""
    client.expect(
        {"type": "websocket.send", **payload}, otherwise=seen(client, payload) or otherwise
    )


def seen(client, payload):
    """The diagnosis that the reply shows by itself, whatever the check is about."""
    if not client.unread:
        return "no-reply"
    reply, (kind,) = client.unread[0], payload
    if "None" in (reply.get("text") or ""):
        return "none-as-text"
    if reply.get(kind) is not None:
        return None
    if kind == "text" and reply.get("bytes") is not None:
        return "text-became-bytes"
    if kind == "bytes" and reply.get("text") is not None:
        return "bytes-became-text"
    return None


async def send_empty(client, otherwise, **empty):
    """Send an empty frame to a consumer that has just answered one that was not empty."""
    try:
        await client.send_to(**empty)
    except AssertionError as failure:
        diagnose(otherwise, client, str(failure))
    kind = "text" if "text_data" in empty else "bytes"
    if not client.unread or client.unread[0].get(kind) is None:
        diagnose(otherwise, client)


async def test_text_stays_text(communicator):
    """A text frame comes back as text, with its number in front: 1 for each client's first."""
    client = await enter(communicator)
    await client.send_to(text_data="hello")
    stamped(client, text="1 hello")
    another = await enter(communicator)
    await another.send_to(text_data="hello")
    client.expect(otherwise="wrong-connection")
    stamped(another, text="1 hello", otherwise="wrong-connection")


async def test_each_connection_counts_its_own_frames(communicator):
    """Of two clients at once, each gets its own frames back, with its own numbers."""
    first, second = await enter(communicator), await enter(communicator)
    await first.send_to(text_data="from the first")
    second.expect(otherwise="wrong-connection")
    stamped(first, text="1 from the first")
    await second.send_to(text_data="from the second")
    first.expect(otherwise="wrong-connection")
    stamped(second, text="1 from the second", otherwise="wrong-connection")
    await first.send_to(text_data="again")
    stamped(first, text="2 again")


async def test_bytes_stay_bytes(communicator):
    """A binary frame comes back as bytes, with its number in front, decodable or not."""
    client = await enter(communicator)
    await client.send_to(bytes_data=b"abc")
    stamped(client, bytes=b"1 abc")
    await client.send_to(bytes_data=b"\x00\xff")
    stamped(client, bytes=b"2 \x00\xff")


async def test_a_long_frame_comes_back_whole(communicator):
    """A long frame of either kind comes back whole, with the blanks at its ends."""
    client = await enter(communicator)
    text = f" {''.join(random.choices('aä☃ ', k=random.randint(20_000, 70_000)))}\n"
    await client.send_to(text_data=text)
    stamped(client, text=f"1 {text}")
    await client.send_to(bytes_data=text.encode())
    stamped(client, bytes=f"2 {text}".encode())


async def test_frames_of_both_kinds_are_counted_in_one_row(communicator):
    """Frames of both kinds are counted in one row, as far as they come: 1, 2, 3."""
    client = await enter(communicator)
    for number in range(1, 13, 2):
        await client.send_to(text_data="ä" * number)
        stamped(client, text=f"{number} " + "ä" * number)
        await client.send_to(bytes_data=b"\xff" * number)
        stamped(client, bytes=f"{number + 1} ".encode() + b"\xff" * number)


async def test_an_empty_text_frame_is_a_frame(communicator):
    """An empty text frame comes back as its number alone, and counts."""
    client = await enter(communicator)
    await client.send_to(text_data="full")
    stamped(client, text="1 full")
    await send_empty(client, text_data="", otherwise="empty-text-missed")
    stamped(client, text="2 ")
    await client.send_to(text_data="full")
    stamped(client, text="3 full")


async def test_an_empty_binary_frame_is_a_frame(communicator):
    """An empty binary frame comes back as its number alone, and counts."""
    client = await enter(communicator)
    await client.send_to(bytes_data=b"full")
    stamped(client, bytes=b"1 full")
    await send_empty(client, bytes_data=b"", otherwise="empty-bytes-missed")
    stamped(client, bytes=b"2 ")
    await client.send_to(bytes_data=b"full")
    stamped(client, bytes=b"3 full")


async def test_an_unused_key_may_be_none(communicator):
    """Frames of servers that send the unused key as None are stamped in the same way."""
    client = await enter(communicator)
    await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"a"})
    stamped(client, bytes=b"1 a")
    await client.send_input({"type": "websocket.receive", "text": "b", "bytes": None})
    stamped(client, text="2 b")
