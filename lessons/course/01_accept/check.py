"""Lesson 1: is the handshake answered as the task says, whatever the client offers?"""

from lessons.judge import diagnose

CELSIUS, FAHRENHEIT = "weather.celsius", "weather.fahrenheit"


def visitor(communicator, *offered):
    """A client that offers these subprotocols, in the header as in the scope."""
    header = [(b"sec-websocket-protocol", ", ".join(offered).encode())] if offered else []
    return communicator(headers=header, subprotocols=list(offered))


async def enter(communicator, *offered, chosen):
    """A client that is let in with the subprotocol `chosen`."""
    client = visitor(communicator, *offered)
    accepted, subprotocol = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    if subprotocol is None:
        diagnose("subprotocol-not-echoed", client)
    if subprotocol != chosen:
        diagnose("wrong-subprotocol", client, f"Expected {chosen}, got {subprotocol}.")
    return client


async def turned_away(communicator, *offered):
    client = visitor(communicator, *offered)
    accepted, _ = await client.connect()
    if accepted:
        diagnose("accepts-everyone", client)
    client.expect()


def reading(text):
    return {"type": "websocket.send", "text": text}


async def test_accepts_and_echoes(communicator):
    """A client that offers weather.celsius is accepted, and the accept names it."""
    await enter(communicator, CELSIUS, chosen=CELSIUS)


async def test_tells_the_reading(communicator):
    """Right after the accept the reading is told in the unit chosen: 21 or 70."""
    for subprotocol, text in ((CELSIUS, "21"), (FAHRENHEIT, "70")):
        client = await enter(communicator, subprotocol, chosen=subprotocol)
        client.expect(reading(text))


async def test_keeps_the_clients_order(communicator):
    """Of several subprotocols, the first on the client's list that the station speaks is chosen."""
    await enter(communicator, CELSIUS, FAHRENHEIT, chosen=CELSIUS)
    await enter(communicator, FAHRENHEIT, CELSIUS, chosen=FAHRENHEIT)
    await enter(communicator, "weather.kelvin", FAHRENHEIT, CELSIUS, chosen=FAHRENHEIT)


async def test_refuses_a_client_without_a_subprotocol(communicator):
    """A client that offers no subprotocol is refused, and nothing else is sent."""
    await turned_away(communicator)


async def test_refuses_a_client_with_other_subprotocols(communicator):
    """A client that offers only subprotocols that the station does not speak is refused."""
    await turned_away(communicator, "weather.kelvin", "weather", "chat")


async def test_tells_each_client_in_its_own_unit(communicator):
    """Of two clients at once, each is told the reading in its own unit on every frame."""
    first = await enter(communicator, CELSIUS, chosen=CELSIUS)
    second = await enter(communicator, FAHRENHEIT, chosen=FAHRENHEIT)
    first.expect(reading("21"))
    second.expect(reading("70"))
    for frame in ({"text_data": "again"}, {"bytes_data": b"again"}):
        await first.send_to(**frame)
        second.expect(otherwise="wrong-connection")
        first.expect(reading("21"), otherwise=mixed_up(first, "70"))
        await second.send_to(**frame)
        first.expect(otherwise="wrong-connection")
        second.expect(reading("70"), otherwise=mixed_up(second, "21"))


def mixed_up(client, others):
    """The diagnosis for a client that was told the other one's reading."""
    return "wrong-connection" if reading(others) in client.unread else None
