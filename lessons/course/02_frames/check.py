"""Lesson 2: does every frame come back as what it was, with its number, to its own client?"""

from lessons.checking import diagnose


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


def stamped(client, otherwise="reply-altered", **payload):
    """The one frame that has come carries this payload; the diagnosis says what is wrong with it."""
    kind = next(iter(payload))
    for message in client.unread[:1]:
        if message.get(kind) is None:
            otherwise = "bytes-became-text" if kind == "bytes" else "text-became-bytes"
        elif "None" in str(message[kind]):
            otherwise = "none-as-text"
    if not client.unread and otherwise == "reply-altered":
        otherwise = "no-reply"
    client.expect({"type": "websocket.send", **payload}, otherwise=otherwise)


async def test_text_stays_text(communicator):
    """A text frame comes back as text, with its number in front."""
    client = await enter(communicator)
    await client.send_to(text_data="hello")
    stamped(client, text="1 hello")


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


async def test_frames_of_both_kinds_are_counted_in_one_row(communicator):
    """Frames of both kinds are counted in one row: 1, 2, 3."""
    client = await enter(communicator)
    await client.send_to(text_data="a")
    stamped(client, text="1 a")
    await client.send_to(bytes_data=b"b")
    stamped(client, bytes=b"2 b")
    await client.send_to(text_data="a")
    stamped(client, text="3 a")


async def test_an_empty_text_frame_is_a_frame(communicator):
    """An empty text frame comes back as its number alone, and counts."""
    client = await enter(communicator)
    await client.send_to(text_data="")
    answered_as_text = [message for message in client.unread if message.get("text") is not None]
    stamped(
        client, text="1 ", otherwise="reply-altered" if answered_as_text else "empty-text-missed"
    )
    await client.send_to(text_data="next")
    stamped(client, text="2 next")


async def test_an_empty_binary_frame_is_a_frame(communicator):
    """An empty binary frame comes back as its number alone, and counts."""
    client = await enter(communicator)
    await client.send_to(bytes_data=b"")
    stamped(client, bytes=b"1 ")
    await client.send_to(bytes_data=b"next")
    stamped(client, bytes=b"2 next")


async def test_an_unused_key_may_be_none(communicator):
    """Frames of servers that send the unused key as None are stamped in the same way."""
    client = await enter(communicator)
    await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"a"})
    stamped(client, bytes=b"1 a")
    await client.send_input({"type": "websocket.receive", "text": "b", "bytes": None})
    stamped(client, text="2 b")
