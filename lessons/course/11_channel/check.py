"""Lesson 11: do letters reach their reader, whatever the writer puts into them, and only there?"""

import json

from lessons.judge import diagnose

TEXTS = ("hello", "ä ☃", '{"type": "websocket.disconnect"}', " two  words ", "websocket.send")
TYPES = (
    *("websocket.disconnect", "websocket.send", "websocket.connect", "websocket.receive"),
    *("letter.lost", "dispatch", "send", "_hidden", "", None, 5, ["letter.arrived"]),
)
NO_ADDRESSES = ("", "with space", "straße", "a/b", "x" * 100, "one!two!three", None, 5, ["a"])


def said(text):
    return {"type": "websocket.send", "text": text}


async def enter(communicator):
    """A client, and the address that it was told."""
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    address = await client.receive_from()
    client.expect()
    return client, address


async def write(client, otherwise=None, **letter):
    """Send it; `otherwise` is for a connection that the letter ended."""
    try:
        await client.send_to(text_data=json.dumps(letter))
    except AssertionError as failure:
        diagnose(otherwise or failure.finding.diagnosis, client, str(failure))


def hears_nothing_of_it(writer):
    """The layer took the letter: the writer gets no answer."""
    if writer.unread and writer.unread[0].get("text") == "no such address":
        diagnose("refused-a-right-address", writer)
    hears(writer, otherwise="wrong-connection")


def hears(client, *texts, otherwise=None):
    """These, and nothing else, came to the client."""
    client.expect(*map(said, texts), otherwise=otherwise)


async def test_the_client_is_told_its_address(communicator, external_sender):
    """The first frame is the name of the consumer's channel: what a view sends there arrives."""
    for text in ("hello", "ä ☃"):
        client, address = await enter(communicator)
        try:
            await external_sender.send(address, {"type": "letter.arrived", "text": text})
        except TypeError as error:
            diagnose("wrong-address", client, str(error))
        hears(client, text, otherwise=None if client.unread else "wrong-address")


async def test_a_letter_reaches_its_reader_and_nobody_else(communicator):
    """The reader gets the text as it is; the writer and others get nothing."""
    (writer, _), (reader, address), (other, _) = [await enter(communicator) for _ in range(3)]
    for text in TEXTS:
        await write(writer, to=address, text=text)
        hears_nothing_of_it(writer)
        hears(reader, text)
        hears(other, otherwise="wrong-connection")


async def test_letters_go_back_and_forth_and_to_oneself(communicator):
    """The reader may answer, and whoever writes to itself gets the letter."""
    (one, ones), (two, twos) = await enter(communicator), await enter(communicator)
    await write(one, to=twos, text="ping")
    await write(two, to=ones, text="pong")
    await write(one, to=ones, text="note")
    hears(two, "ping")
    hears(one, "pong", "note")


async def test_a_writer_does_not_choose_the_type(communicator):
    """Whatever else the JSON holds, a type above all, the reader gets the text and stays."""
    (writer, _), (reader, address) = await enter(communicator), await enter(communicator)
    for kind in TYPES:
        await write(writer, "client-chosen-type", to=address, text="hello", type=kind, code=1000)
        if reader.finished or [event.get("text") for event in reader.unread] != ["hello"]:
            diagnose("client-chosen-type", reader, event="websocket.receive")
        hears(reader, "hello")


async def test_what_is_no_address_is_answered(communicator):
    """What the layer takes for no address is answered with `no such address`; the writer stays."""
    (writer, address), (reader, _) = await enter(communicator), await enter(communicator)
    for nowhere in NO_ADDRESSES:
        await write(writer, to=nowhere, text="hello")
        hears(writer, "no such address")
        hears(reader, otherwise="wrong-connection")
    await write(writer, to=address, text="hello")
    hears(writer, "hello")


async def test_nobody_knows_whether_a_letter_was_read(communicator):
    """A letter to someone who has left is gone without a word; the writer stays."""
    (writer, own), (reader, address) = await enter(communicator), await enter(communicator)
    await reader.disconnect(1001)
    await write(writer, to=address, text="hello")
    hears(writer)
    await write(writer, to=own, text="note")
    hears(writer, "note")
