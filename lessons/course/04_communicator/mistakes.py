"""Lesson 4: the classic wrong tests of the lamp. Each is whole but for what it does not look at."""

from channels.testing import WebsocketCommunicator

BRASS, TIN = "/lamp/?key=brass", "/lamp/?key=tin"


async def enter(application):
    client = WebsocketCommunicator(application, BRASS)
    assert await client.connect() == (True, None)
    return client


async def turned_away(application):
    client = WebsocketCommunicator(application, TIN)
    assert await client.connect() == (False, 1000)
    return client


async def switch(client, *states):
    for state in states:
        await client.send_to(text_data="switch")
        assert await client.receive_output() == {"type": "websocket.send", "text": state}


async def hit(client):
    await client.send_to(text_data="hit")
    assert await client.receive_output() == {"type": "websocket.close", "code": 4000}
    assert await client.receive_nothing()


async def leave(*clients):
    for client in clients:
        await client.disconnect()
        assert not client.future.cancelled()


async def test_goes_through_the_motions(application):
    """Believes that a conversation without an error is a right one; it compares nothing."""
    client = WebsocketCommunicator(application, BRASS)
    await client.connect()
    await client.send_to(text_data="switch")
    await client.receive_from()
    await client.send_to(text_data="hit")
    await client.receive_output()
    await client.disconnect()


test_goes_through_the_motions.diagnosis = "test-passes-open-door"


async def test_brings_only_welcome_clients(application):
    """Looks at what the lamp must do, and at nothing that it must not do."""
    client, other = await enter(application), await enter(application)
    await switch(client, "on", "off", "on")
    await switch(other, "on")
    await hit(client)
    await leave(client, other)


test_brings_only_welcome_clients.diagnosis = "test-passes-open-door"


async def test_leaves_the_stranger_at_the_door(application):
    """Believes that a refusal is the end; the consumer still gets its websocket.disconnect."""
    await turned_away(application)
    client, other = await enter(application), await enter(application)
    await switch(client, "on", "off", "on")
    await switch(other, "on")
    await hit(client)
    await leave(client, other)


test_leaves_the_stranger_at_the_door.diagnosis = "test-passes-crash"


async def test_asks_whether_a_reply_came(application):
    """Believes that a reply is right when it is there."""
    stranger = await turned_away(application)
    client = await enter(application)
    for _ in range(3):
        await client.send_to(text_data="switch")
        assert await client.receive_from()
    await hit(client)
    await leave(stranger, client)


test_asks_whether_a_reply_came.diagnosis = "test-passes-bytes"


async def test_switches_once(application):
    """Takes the first reply for all of them; what changes with time needs a second one."""
    stranger = await turned_away(application)
    client, other = await enter(application), await enter(application)
    await switch(client, "on")
    await switch(other, "on")
    await hit(client)
    await leave(stranger, client, other)


test_switches_once.diagnosis = "test-passes-stuck-lamp"


async def test_reads_on_until_it_is_content(application):
    """Skips what it does not expect, and so never sees a frame too many."""
    stranger = await turned_away(application)
    client, other = await enter(application), await enter(application)
    for state in ("on", "off", "on"):
        await client.send_to(text_data="switch")
        while await client.receive_from() != state:
            pass
    await switch(other, "on")
    await leave(stranger, client, other)


test_reads_on_until_it_is_content.diagnosis = "test-passes-second-reply"


async def test_looks_away_after_the_close(application):
    """Believes that nothing can follow a close; the stock communicator takes whatever does."""
    stranger = await turned_away(application)
    client, other = await enter(application), await enter(application)
    await switch(client, "on", "off", "on")
    await switch(other, "on")
    await client.send_to(text_data="hit")
    assert await client.receive_output() == {"type": "websocket.close", "code": 4000}
    await leave(stranger, client, other)


test_looks_away_after_the_close.diagnosis = "test-passes-late-frame"


async def test_has_one_client_at_a_time(application):
    """Brings two clients, one after the other, and each finds the lamp off."""
    stranger = await turned_away(application)
    client = await enter(application)
    await switch(client, "on", "off")
    await hit(client)
    other = await enter(application)
    await switch(other, "on", "off")
    await leave(stranger, client, other)


test_has_one_client_at_a_time.diagnosis = "test-passes-shared-lamp"


async def test_looks_at_the_type_of_the_close(application):
    """Believes that a close is a close; its code is all that the client learns of the reason."""
    stranger = await turned_away(application)
    client, other = await enter(application), await enter(application)
    await switch(client, "on", "off", "on")
    await switch(other, "on")
    await client.send_to(text_data="hit")
    assert (await client.receive_output())["type"] == "websocket.close"
    assert await client.receive_nothing()
    await leave(stranger, client, other)


test_looks_at_the_type_of_the_close.diagnosis = "test-passes-wrong-code"


async def test_trusts_disconnect(application):
    """Believes that disconnect() fails where a consumer does not stop; it cancels it in silence."""
    stranger = await turned_away(application)
    client, other = await enter(application), await enter(application)
    await switch(client, "on", "off", "on")
    await switch(other, "on")
    await hit(client)
    for one in (stranger, client, other):
        await one.disconnect()


test_trusts_disconnect.diagnosis = "test-passes-endless"


async def test_takes_cancelled_for_done(application):
    """Asks whether the future is done; disconnect() has cancelled it, and that is done too."""
    stranger = await turned_away(application)
    client, other = await enter(application), await enter(application)
    await switch(client, "on", "off", "on")
    await switch(other, "on")
    await hit(client)
    for one in (stranger, client, other):
        await one.disconnect()
        assert one.future.done()


test_takes_cancelled_for_done.diagnosis = "test-passes-endless"


async def test_waits_for_silence_with_a_time_out(application):
    """Proves silence by a time-out of receive_output(), which cancels the consumer."""
    client = await enter(application)
    try:
        await client.receive_output(timeout=0.1)
    except TimeoutError:
        pass
    await switch(client, "on", "off", "on")
    await leave(client)


test_waits_for_silence_with_a_time_out.diagnosis = "test-fails-the-right-one"


async def test_asks_more_than_the_task_says(application):
    """Tests the lamp that its author had in mind: one that tells its state at once."""
    client = await enter(application)
    assert await client.receive_from() == "off"
    await switch(client, "on", "off", "on")
    await leave(client)


test_asks_more_than_the_task_says.diagnosis = "test-fails-the-right-one"


async def test_forgets_an_await(application):
    """Calls connect() and throws the coroutine away, which has not begun to run."""
    client = WebsocketCommunicator(application, BRASS)
    client.connect()
    await switch(client, "on", "off", "on")
    await leave(client)


test_forgets_an_await.diagnosis = "never-awaited"


async def test_only_describes_the_conversation(application):
    """Defines what is to happen in a function that nobody calls."""

    async def conversation():
        client = await enter(application)
        await switch(client, "on", "off", "on")
        await leave(client)


test_only_describes_the_conversation.diagnosis = "test-runs-nothing"
