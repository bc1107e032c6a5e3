"""Lesson 13: does the waiter know what was not delivered, and say so?"""

import asyncio
from contextlib import suppress
from datetime import datetime

from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer

from lessons.judge import diagnose

A_DAY = 24 * 60 * 60
OTHERS = {"type": "order.new", "dish": "another table's"}


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


def said(text):
    return {"type": "websocket.send", "text": text}


async def order(client, number, dish, is_room=True, otherwise=None):
    """The client orders and is told so, or is told that it was not ordered."""
    await client.send_to(text_data=dish)
    if client.close_code is not None:
        diagnose("closed-early", client)
    if await client.receive_nothing(timeout=5) and client.is_busy:
        waits = "The handler waits for room, and all else waits for it."
        diagnose("loop-in-handler", client, waits)
    ordered, refused = said(f"{number} ordered"), said(f"{number} not ordered")
    if is_room and client.unread == [refused]:
        diagnose(otherwise or "swallowed-error", client)
    if not is_room and client.unread in ([], [ordered]):
        diagnose("loss-not-reported", client)
    client.expect(ordered if is_room else refused, otherwise=otherwise)


async def next_in_kitchen(client):
    """The next message in the channel, as Redis would hand it over; None where none waits."""
    try:
        async with asyncio.timeout(1):
            return await get_channel_layer().receive("kitchen")
    except TimeoutError:
        return None
    except ValueError as error:
        diagnose("int-keys", client, f"The kitchen died of {type(error).__name__}: {error}")


async def cooks(client, number, dish, earlier, otherwise=None):
    """The kitchen gets this order, and it is the next."""
    message = await next_in_kitchen(client)
    if message is None:
        by_group = any(event.message.get("type") == "group_send" for event in client.transcript)
        name = otherwise or ("delivery-assumed" if by_group else "message-differs")
        diagnose(name, client, "The channel kitchen holds no message.")
    got = {name: message.get(name) for name in ("type", "number", "dish", "earlier")}
    expected = {"type": "order.new", "number": number, "dish": dish, "earlier": earlier}
    if got != expected:
        detail = f"expected  {expected}\ngot       {got}"
        diagnose(otherwise or "message-differs", client, detail)
    is_time(client, message.get("at"))


def is_time(client, text):
    with suppress(TypeError, ValueError):
        taken = datetime.fromisoformat(text).astimezone()
        if abs((taken - datetime.now().astimezone()).total_seconds()) < A_DAY:
            return
    diagnose("message-differs", client, f"`at` is no ISO 8601 text of now: {text!r}")


async def fill_the_kitchen():
    """Others order until there is no room left; how many messages that took."""
    count = 0
    with suppress(ChannelFull):
        while True:
            await get_channel_layer().send("kitchen", OTHERS)
            count += 1
    return count


async def announce(client, number, *told, otherwise=None):
    """The client is told what was missed, if anything, and then of the dish."""
    message = {"type": "dish.ready", "number": number, "dish": f"dish {number}"}
    await get_channel_layer().group_send("waiters", message)
    await client.receive_nothing(timeout=0)
    ready = said(f"dish {number} is ready")
    if told and client.unread == [ready]:
        diagnose(
            otherwise or "delivery-assumed", client, f"{told[0]}, and the client was not told."
        )
    if not told and len(client.unread) > 1:
        otherwise = otherwise or "false-gap"
    client.expect(*map(said, told), ready, otherwise=otherwise)


async def test_an_order_reaches_the_kitchen(communicator):
    """An order reaches the kitchen, time and earlier orders included, as Redis would bring it."""
    client = await enter(communicator)
    earlier = {}
    for number, dish in enumerate(("soup", "ä ☃", "soup"), 1):
        await order(client, number, dish)
        await cooks(client, number, dish, earlier)
        earlier[str(number)] = dish


async def test_a_full_kitchen_is_told_to_the_client(communicator):
    """Where the kitchen's channel is full, the client is told, and the connection goes on."""
    client = await enter(communicator)
    await order(client, 1, "soup")
    waiting = 1 + await fill_the_kitchen()
    await order(client, 2, "tea", is_room=False)
    await order(client, 3, "rice", is_room=False)
    for _ in range(waiting):
        await next_in_kitchen(client)
    await order(client, 4, "cake")
    await cooks(client, 4, "cake", {"1": "soup"}, otherwise="delivery-assumed")
    if await next_in_kitchen(client):
        diagnose(
            "delivery-assumed", client, "The kitchen got an order that was called not ordered."
        )


async def test_each_client_has_its_own_orders(communicator):
    """Of two clients, each has its own numbers and its own earlier orders."""
    first, second = await enter(communicator), await enter(communicator)
    await order(first, 1, "soup")
    await order(second, 1, "tea", otherwise="wrong-connection")
    await order(first, 2, "rice", otherwise="wrong-connection")
    await cooks(first, 1, "soup", {})
    await cooks(second, 1, "tea", {}, otherwise="wrong-connection")
    await cooks(first, 2, "rice", {"1": "soup"}, otherwise="wrong-connection")


async def test_a_gap_is_told(communicator):
    """After announcements 7 and 8, `2 missed` comes before 11; after 12, `1 missed` before 14."""
    client = await enter(communicator)
    await announce(client, 7)
    await announce(client, 8)
    await announce(client, 11, "2 missed")
    await announce(client, 12)
    await announce(client, 14, "1 missed")


async def test_a_new_count_is_no_gap(communicator):
    """After 7, announcements 1, 2 and again 2 are no gap, and 5 is one of two."""
    client = await enter(communicator)
    await announce(client, 7)
    await announce(client, 1)
    await announce(client, 2)
    await announce(client, 2)
    await announce(client, 5, "2 missed")


async def test_who_comes_later_has_missed_nothing(communicator):
    """A client that comes later begins with what it hears first, and each counts for itself."""
    first = await enter(communicator)
    await announce(first, 3)
    second = await enter(communicator)
    await announce(second, 6, otherwise="wrong-connection")
    first.expect(said("2 missed"), said("dish 6 is ready"), otherwise="wrong-connection")
    await announce(second, 8, "1 missed", otherwise="wrong-connection")
    first.expect(said("1 missed"), said("dish 8 is ready"), otherwise="wrong-connection")
