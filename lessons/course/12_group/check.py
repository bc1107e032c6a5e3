"""Lesson 12: do those in a lounge hear all that happens there, and does each end leave it?"""

from lessons.judge import diagnose

CAME, LEFT = "someone came", "someone left"
NAMES = ("lobby", "a", "Z", "7", "a-b_c.d", "0123456789", "x" * 50)
ALIKE = ("ab", "a.b", "a-b", "a_b", "Ab", "ab.", "abc")
TOO_LONG = ("x" * 51, "x" * 99, "x" * 100, "x" * 300)
NO_NAMES = (
    *("%20", "two%20words", "lobby%20", "caf%C3%A9", "%E2%98%83", "a!b", "a:b", "a,b", "%22", "~"),
    *("%D9%A3", "lobby%0A", "%0Alobby", "%00", *TOO_LONG),
)


def said(text):
    return {"type": "websocket.send", "text": text}


def visit(communicator, name="lobby"):
    return communicator(f"/ws/layers/group/{name}/")


async def enter(communicator, name="lobby", others=()):
    """A client that is in; it has heard that it came, and so have the others."""
    client = visit(communicator, name)
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    if client.close_code is not None:
        diagnose("room-name-refused", client, event="websocket.connect")
    calls = [event.message for event in client.transcript if event.direction == "out"]
    order = [call.get("type") for call in calls]
    if "group_add" not in order:
        diagnose("member-missed", client)
    joined = order.index("group_add")
    missed = not client.unread and "group_send" in order[:joined]
    if missed or "websocket.accept" in order[:joined]:
        diagnose("joined-too-late", client, event="websocket.connect")
    if calls[joined]["group"] in [call.get("channel") for call in calls]:
        diagnose("group-as-channel", client)
    heard_by_all(client, CAME)
    for other in others:
        heard_by_all(other, CAME)
    return client


def hears(client, *texts, otherwise=None):
    """These, and nothing else, came to the client."""
    client.expect(*map(said, texts), otherwise=otherwise)


def heard_by_all(client, text):
    hears(client, text, otherwise=None if client.unread else "member-missed")


async def test_all_in_a_lounge_hear_who_comes(communicator):
    """Each who enters is heard by all in the lounge, and hears it too, as its first frame."""
    inside = []
    for _ in range(3):
        inside.append(await enter(communicator, others=inside))


async def test_all_in_a_lounge_hear_what_one_says(communicator):
    """What one says, all hear once, the one who said it too, and in the order of its saying."""
    first = await enter(communicator)
    second = await enter(communicator, others=[first])
    for speaker in (first, second):
        for text in ("hello", "ä ☃", '{"type": "websocket.disconnect"}'):
            await speaker.send_to(text_data=text)
            for client in (first, second):
                heard_by_all(client, f"someone: {text}")


async def test_a_frame_without_text_says_nothing(communicator):
    """A binary frame, with or without text: None beside it, and an empty one say nothing."""
    first = await enter(communicator)
    second = await enter(communicator, others=[first])
    await first.send_to(bytes_data=b"hello")
    await first.send_to(bytes_data=b"")
    await first.send_to(text_data="")
    await first.send_input({"type": "websocket.receive", "text": None, "bytes": b"\xff"})
    hears(first)
    hears(second)


async def test_each_name_is_a_lounge_of_its_own(communicator):
    """Every name that fits is a lounge, and nothing of one is heard in another."""
    for name in NAMES:
        await enter(communicator, name)
    inside = {name: await enter(communicator, name) for name in ALIKE}
    for client in inside.values():
        hears(client, otherwise="wrong-room")
    for name in ALIKE:
        await inside[name].send_to(text_data=name)
        for other, client in inside.items():
            texts = [f"someone: {name}"] if other == name else []
            hears(client, *texts, otherwise="wrong-room")


async def test_a_name_that_does_not_fit_is_refused_so_that_it_shows(communicator, external_sender):
    """Any other name, be it too long, spaced or not ASCII, is accepted and closed with 4004."""
    for name in NO_NAMES:
        client = visit(communicator, name)
        accepted, _ = await client.connect()
        if not accepted:
            diagnose("refused-without-reason", client)
        if client.close_code is None:
            diagnose("room-name-unchecked", client, event="websocket.connect")
        otherwise = None if client.close_code == 4004 else "wrong-close-code"
        client.expect({"type": "websocket.close", "code": 4004}, otherwise=otherwise)
        if external_sender.groups:
            diagnose("group-leak", client)


async def test_leaves_when_the_client_leaves(communicator):
    """When a client leaves, with 1000, 1001, 1006, 4001 or no code, those still there hear it."""
    witness = await enter(communicator)
    for code in (1000, 1001, 1006, 4001, None):
        client = await enter(communicator, others=[witness])
        await client.disconnect(code)
        heard_by_all(witness, LEFT)
    await witness.send_to(text_data="alone?")
    hears(witness, "someone: alone?")


async def test_leaves_when_a_handler_raises(communicator):
    """When an exception in a handler ends a connection, it leaves, and those still there hear."""
    witness = await enter(communicator)
    client = await enter(communicator, others=[witness])
    await client.crash()
    hears(witness, LEFT, otherwise="cleanup-skipped")


async def test_leaves_when_the_server_cancels(communicator):
    """When the server cancels a consumer, it leaves, and those still there hear it."""
    witness = await enter(communicator)
    client = await enter(communicator, others=[witness])
    await client.kill()
    hears(witness, LEFT, otherwise="cleanup-skipped")


async def test_an_early_end_does_no_harm(communicator):
    """A consumer that is cancelled before websocket_connect ends without an error or a word."""
    witness = await enter(communicator)
    client = visit(communicator)
    await client.kill()
    hears(witness)
