"""Lesson 5: the classic wrong tests of the lamp. Most of them leave out one comparison."""

from channels.testing import WebsocketCommunicator

BRASS, TIN, NO_KEY = "/lamp/?key=brass", "/lamp/?key=tin", "/lamp/"
CLOSED = {"type": "websocket.close", "code": 4000}


async def enter(application):
    client = WebsocketCommunicator(application, BRASS)
    assert await client.connect() == (True, None)
    return client


async def leave(*clients):
    for client in clients:
        await client.disconnect()
        assert not client.future.cancelled()


async def refused(application, leave=leave):
    for path in (TIN, NO_KEY):
        client = WebsocketCommunicator(application, path)
        assert await client.connect() == (False, 1000)
        assert await client.receive_nothing()
        await leave(client)


async def switch(client, *states):
    for state in states:
        await client.send_to(text_data="switch")
        assert await client.receive_output() == {"type": "websocket.send", "text": state}


async def switched(application, switch=switch, leave=leave):
    client, other = await enter(application), await enter(application)
    await switch(client, "on")
    await switch(other, "on")
    await switch(client, "off", "on")
    assert await client.receive_nothing()
    assert await other.receive_nothing()
    await leave(client, other)


async def hit(client, **frame):
    await client.send_to(**frame)
    assert await client.receive_output() == CLOSED
    await client.send_to(text_data="switch")
    await client.send_to(text_data="hit")
    assert await client.receive_nothing()


async def broken(application, hit=hit, leave=leave, switch=switch):
    for frame in ({"text_data": "hit"}, {"bytes_data": b"switch"}):
        client, whole = await enter(application), await enter(application)
        await hit(client, **frame)
        await switch(whole, "on")
        await leave(client, whole)


async def test_goes_through_the_motions(application):
    """Believes that a conversation without an error is right. It compares nothing."""
    client = WebsocketCommunicator(application, BRASS)
    await client.connect()
    await client.send_to(text_data="switch")
    await client.receive_from()
    await client.send_to(text_data="hit")
    await client.receive_output()
    await client.disconnect()


test_goes_through_the_motions.diagnosis = "test-passes-open-door"


async def test_brings_only_welcome_clients(application):
    """Tests what the lamp must do, but not what it must not do."""
    await switched(application)
    await broken(application)


test_brings_only_welcome_clients.diagnosis = "test-passes-open-door"


async def test_forgets_the_refused_client(application):
    """Believes that a rejection is the end. The consumer still gets websocket.disconnect."""

    async def stay(client):
        pass

    await refused(application, leave=stay)
    await switched(application)
    await broken(application)


test_forgets_the_refused_client.diagnosis = "test-passes-crash"


async def test_asks_whether_a_reply_came(application):
    """Believes that any reply is right."""

    async def switch(client, *states):
        for _ in states:
            await client.send_to(text_data="switch")
            assert await client.receive_from()

    await refused(application)
    await switched(application, switch)
    await broken(application, switch=switch)


test_asks_whether_a_reply_came.diagnosis = "test-passes-bytes"


async def test_switches_once(application):
    """Believes that the next replies are right if the first one is."""
    await refused(application)
    client, other = await enter(application), await enter(application)
    await switch(client, "on")
    await switch(other, "on")
    await leave(client, other)
    await broken(application)


test_switches_once.diagnosis = "test-passes-stuck-lamp"


async def test_reads_on_until_it_is_content(application):
    """Skips frames that it does not expect, so it never notices one frame too many."""
    await refused(application)
    client, other = await enter(application), await enter(application)
    for state in ("on", "off", "on"):
        await client.send_to(text_data="switch")
        while await client.receive_from() != state:
            pass
    await switch(other, "on")
    await leave(client, other)
    await broken(application)


test_reads_on_until_it_is_content.diagnosis = "test-passes-second-reply"


async def test_looks_away_after_the_close(application):
    """Believes that nothing can follow a close. The stock communicator accepts it."""

    async def hit(client, **frame):
        await client.send_to(**frame)
        assert await client.receive_output() == CLOSED

    await refused(application)
    await switched(application)
    await broken(application, hit)


test_looks_away_after_the_close.diagnosis = "test-passes-late-frame"


async def test_has_one_client_at_a_time(application):
    """Connects two clients, one after the other. Each finds the lamp off."""
    await refused(application)
    for _ in range(2):
        client = await enter(application)
        await switch(client, "on", "off", "on", "off")
        assert await client.receive_nothing()
        await leave(client)
    await broken(application)


test_has_one_client_at_a_time.diagnosis = "test-passes-shared-lamp"


async def test_looks_at_the_type_of_the_close(application):
    """Does not compare the code, which is all that the client learns of the reason."""

    async def hit(client, **frame):
        await client.send_to(**frame)
        assert (await client.receive_output())["type"] == "websocket.close"
        await client.send_to(text_data="switch")
        assert await client.receive_nothing()

    await refused(application)
    await switched(application)
    await broken(application, hit)


test_looks_at_the_type_of_the_close.diagnosis = "test-passes-wrong-code"


async def test_trusts_disconnect(application):
    """Believes that disconnect() fails for a consumer that does not stop. It cancels it."""

    async def leave(*clients):
        for client in clients:
            await client.disconnect()

    await refused(application, leave)
    await switched(application, leave=leave)
    await broken(application, leave=leave)


test_trusts_disconnect.diagnosis = "test-passes-endless"


async def test_takes_cancelled_for_done(application):
    """Asks whether the future is done. A future that disconnect() cancelled is done too."""

    async def leave(*clients):
        for client in clients:
            await client.disconnect()
            assert client.future.done()

    await refused(application, leave)
    await switched(application, leave=leave)
    await broken(application, leave=leave)


test_takes_cancelled_for_done.diagnosis = "test-passes-endless"


async def test_waits_for_silence_with_a_time_out(application):
    """Uses the timeout of receive_output(), which cancels the consumer."""
    client = await enter(application)
    try:
        await client.receive_output(timeout=0.1)
    except TimeoutError:
        pass
    await switch(client, "on", "off", "on")
    await leave(client)


test_waits_for_silence_with_a_time_out.diagnosis = "test-fails-the-right-one"


async def test_asks_more_than_the_task_says(application):
    """Tests another lamp: one that sends its state right after the accept."""
    client = await enter(application)
    assert await client.receive_from() == "off"
    await switch(client, "on", "off", "on")
    await leave(client)


test_asks_more_than_the_task_says.diagnosis = "test-fails-the-right-one"


async def test_forgets_an_await(application):
    """Calls connect() without await, so it does not run."""
    client = WebsocketCommunicator(application, BRASS)
    client.connect()
    await switch(client, "on", "off", "on")
    await leave(client)


test_forgets_an_await.diagnosis = "never-awaited"


async def test_only_describes_the_conversation(application):
    """Defines the conversation in a function that is never called."""

    async def conversation():
        client = await enter(application)
        await switch(client, "on", "off", "on")
        await leave(client)


test_only_describes_the_conversation.diagnosis = "test-runs-nothing"
