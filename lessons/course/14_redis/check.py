"""Lesson 14: one hotline on two servers, through its own layer, and an outage that is told."""

from lessons.judge import diagnose

LAYER = "encrypted"


def said(text):
    return {"type": "websocket.send", "text": text}


ACCEPT, TRY_AGAIN = {"type": "websocket.accept"}, {"type": "websocket.close", "code": 4013}


async def enter(open_client):
    client = open_client()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect(otherwise="reply-differs")
    return client


async def say(redis, text, sender, *others, otherwise=None):
    """What `sender` says reaches it and the others, once, and through no other layer."""
    await sender.send_to(text_data=text)
    if redis.other_layers_used(LAYER):
        diagnose("wrong-layer", sender)
    for client in (sender, *others):
        client.expect(said(text), otherwise=otherwise)


async def expect_farewell(client, *before):
    """Its client heard `before`, and then that it may come back later."""
    await client.receive_nothing()
    while client.unread[-2:] == [TRY_AGAIN, TRY_AGAIN]:  # the second does nothing
        client.unread.pop()
    client.expect(*before, TRY_AGAIN, otherwise=wrong_farewell(client, before))


def wrong_farewell(client, before):
    """Id of the diagnosis for a client that was told something else, or nothing."""
    if client.close_code is None and client.is_busy:
        return "waits-for-redis"
    if before and said("not sent") not in client.unread:
        return "lost-text-not-reported"
    if client.close_code is None:
        return "stays-in-lost-group" if before else "outage-hidden"
    return "wrong-close-code" if client.close_code != TRY_AGAIN["code"] else "reply-differs"


async def test_a_text_reaches_everybody(communicator, redis):
    """What one client says, all of them hear, through the layer `encrypted` alone."""
    first, second = await enter(communicator), await enter(communicator)
    await say(redis, "hello", first, second)
    await say(redis, "", second, first)
    await first.disconnect(1001)
    await say(redis, "still here", second)


async def test_on_whichever_server(communicator, other_server, redis):
    """A client of another server hears what is said, and is heard."""
    here, there = await enter(communicator), await enter(other_server)
    await say(redis, "from here", here, there, otherwise="state-kept-in-process")
    await say(redis, "from there", there, here, otherwise="state-kept-in-process")


async def test_who_cannot_hear_is_closed(communicator, other_server, redis):
    """When Redis goes away every client, on each server, is closed with 4013."""
    clients = [await enter(communicator), await enter(communicator), await enter(other_server)]
    await redis.stop()
    for client in clients:
        await expect_farewell(client)


async def test_what_cannot_be_sent_is_told_to_its_sender(communicator, redis):
    """Without the group's host, a text is answered with `not sent`, and its sender is closed."""
    sender, listener = await enter(communicator), await enter(communicator)
    redis.stop_group_host()
    await sender.send_to(text_data="hello?")
    await expect_farewell(sender, said("not sent"))
    listener.expect()


async def test_who_comes_meanwhile_is_told_so(communicator, redis):
    """Who comes while Redis is away is accepted, and then closed with 4013."""
    await enter(communicator)
    await redis.stop()
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("outage-refused", client)
    await expect_farewell(client)


async def test_all_is_well_when_it_is_back(communicator, other_server, redis):
    """After its return, those who come back talk to each other."""
    for server in (communicator, other_server):
        await enter(server)
    await redis.stop()
    redis.start()
    here, there = await enter(communicator), await enter(other_server)
    await say(redis, "back", here, there, otherwise="stays-down")
    await say(redis, "again", there, here, otherwise="stays-down")
