"""Lesson 3: does the game end as the task says, and the consumer with it?"""

from lessons.judge import diagnose


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


def said(text):
    return {"type": "websocket.send", "text": text}


def goes_on(client, otherwise=None):
    """The guess got `Wrong.`, and the game is not over."""
    if otherwise is None and client.close_code is not None:
        otherwise = "closed-early"
    client.expect(said("Wrong."), otherwise=otherwise)


def ended(client, text, code):
    """The guess got `text`, then the close with that code; the diagnosis says what is wrong."""
    if client.close_code is None:
        diagnose("not-closed-as-asked", client)
    otherwise = "wrong-close-code" if client.close_code != code else None
    client.expect(said(text), {"type": "websocket.close", "code": code}, otherwise=otherwise)


async def guess_at_once(client, *texts):
    """Send several frames before the first is handled, as a client on a slow line does."""
    for text in texts[:-1]:
        client.input_queue.put_nowait({"type": "websocket.receive", "text": text})
    await client.send_to(text_data=texts[-1])


async def test_a_wrong_guess_may_be_followed_by_another(communicator):
    """A wrong guess, text or binary, gets "Wrong.", and the client may guess again."""
    client = await enter(communicator)
    await client.send_to(text_data="seven")
    goes_on(client)
    await client.send_to(bytes_data=b"7")
    goes_on(client)


async def test_each_client_has_its_own_tries(communicator):
    """Of two clients at once, each has three tries of its own."""
    first, second = await enter(communicator), await enter(communicator)
    for client in (first, second, first, second):
        await client.send_to(text_data="5")
        goes_on(client, otherwise="wrong-connection")


async def test_the_right_guess_ends_the_game(communicator):
    """The right guess gets "Right.", then the close with 1000, and the consumer stops."""
    client = await enter(communicator)
    for text in ("", "07"):
        await client.send_to(text_data=text)
        goes_on(client)
    await client.send_to(text_data="7")
    ended(client, "Right.", 1000)


async def test_the_third_wrong_guess_ends_the_game(communicator):
    """The third wrong guess gets "Wrong.", then the close with 4000, and the consumer stops."""
    client = await enter(communicator)
    for text in ("5", "6"):
        await client.send_to(text_data=text)
        goes_on(client)
    await client.send_to(text_data="77")
    ended(client, "Wrong.", 4000)


async def test_what_was_under_way_gets_nothing(communicator):
    """A frame that the client sent before it heard of the close gets nothing more."""
    client = await enter(communicator)
    await guess_at_once(client, "7", "5", "7")
    ended(client, "Right.", 1000)
    client = await enter(communicator)
    for text in ("5", "6"):
        await client.send_to(text_data=text)
        goes_on(client)
    await guess_at_once(client, "8", "9", "7")
    ended(client, "Wrong.", 4000)


async def test_stops_whatever_the_code(communicator):
    """The consumer stops when the client leaves, with 1000, 1001, 1006, 4001 or no code."""
    for code in (1000, 1001, 1006, 4001, None):
        client = await enter(communicator)
        await client.disconnect(code)
        client.expect()
