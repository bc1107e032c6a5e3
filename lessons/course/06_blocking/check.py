"""Lesson 6: does anybody wait for another one's bread?

Here `bake` takes no time: it waits until the check has seen what others get meanwhile.
"""

import asyncio

from lessons.judge import diagnose


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


def said(*texts):
    return [{"type": "websocket.send", "text": text} for text in texts]


async def order(client, bread, held_sleep):
    """Order while the oven is shut: the answer comes at once, the bread does not."""
    held_sleep.reset()
    await client.send_to(text_data=bread)
    await asyncio.sleep(1)  # of the loop's clock, for a consumer that takes a moment first
    if client.unread and not await held_sleep.was_called():
        diagnose("work-left-out", client)
    client.expect(*said(f"baking {bread}"), otherwise=None if client.unread else "no-reply")


async def order_beside(client, bread, held_sleep):
    """Order while the oven is shut and another one's bread is in it."""
    await client.send_to(text_data=bread)
    if not client.unread:
        raise held_sleep.failure()
    client.expect(*said(f"baking {bread}"))


async def baked(client, bread):
    """The bread comes, and nothing else."""
    await client.receive_nothing(60)
    got = client.unread[0].get("text") if client.unread else None
    another = got is not None and got != f"{bread} is done" and got.endswith(" is done")
    client.expect(*said(f"{bread} is done"), otherwise="wrong-connection" if another else None)


async def test_an_order_is_answered_and_baked(communicator, held_sleep):
    """An order gets "baking rye" at once and "rye is done" later; so does the next one."""
    client = await enter(communicator)
    for bread in ("rye", "wheat", ""):
        held_sleep.hold()
        await order(client, bread, held_sleep)
        await held_sleep.release()
        await baked(client, bread)


async def test_others_are_served_while_one_bakes(communicator, held_sleep):
    """While one client's bread is baked, another one's order gets its first answer."""
    first, second = await enter(communicator), await enter(communicator)
    held_sleep.hold()
    await order(first, "rye", held_sleep)
    await order_beside(second, "wheat", held_sleep)


async def test_others_come_and_go_while_one_bakes(communicator, held_sleep):
    """While one client's bread is baked, another one connects and leaves."""
    first = await enter(communicator)
    held_sleep.hold()
    await order(first, "rye", held_sleep)
    try:
        second = await enter(communicator)
        await second.disconnect()
    except AssertionError as failure:
        raise held_sleep.failure() from failure


async def test_two_bake_at_the_same_time(communicator, held_sleep):
    """Two clients' bread is baked at the same time, and each gets its own."""
    first, second = await enter(communicator), await enter(communicator)
    held_sleep.hold()
    await order(first, "rye", held_sleep)
    await order_beside(second, "wheat", held_sleep)
    await asyncio.sleep(1)
    if held_sleep.waiting == 1:
        raise held_sleep.failure()
    await held_sleep.release()
    await baked(first, "rye")
    await baked(second, "wheat")


async def test_stops_when_the_client_leaves(communicator):
    """The consumer stops when the client leaves, with or without a code."""
    for code in (1000, 1001, None):
        client = await enter(communicator)
        await client.disconnect(code)
        client.expect()
