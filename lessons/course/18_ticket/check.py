"""Lesson 18: does a ticket open the door to its user, once, and soon, and to nobody else?"""

import asyncio
import base64
import logging
import sys
import time
from contextlib import contextmanager
from copy import deepcopy
from io import StringIO
from unittest import mock

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from lessons.judge import diagnose

SECONDS = 30  # that a ticket is good for
ADA, GRACE = 700_123, 800_456  # keys that stand in a ticket for nothing else
OTHER_WORDS = "?user=grace&username=grace&name=grace&user_id=800456&id=800456&pk=800456"


def greeting(name):
    return {"type": "websocket.send", "text": f"Welcome, {name}."}


async def ticket_for(target, name, key):
    """A new one, as the student's file issues it."""

    def issued():
        user, _ = User.objects.get_or_create(pk=key, username=name)
        return sys.modules[target.__module__].issue(user)

    return await sync_to_async(issued)()


def holding(ticket, scheme="Ticket"):
    return [(b"authorization", f"{scheme} {ticket}".encode())]


async def is_welcome(client, name, otherwise="refuses-everyone"):
    accepted, _ = await client.connect()
    if not accepted or client.close_code is not None:
        diagnose(otherwise, client)
    client.expect(greeting(name), otherwise="ticket-of-another")


async def is_refused(client, otherwise):
    """It gets in nowhere: refused, or accepted to be told why, and closed."""
    accepted, _ = await client.connect()
    if accepted and client.close_code is None:
        diagnose(otherwise, client)


@contextmanager
def later(seconds):
    with mock.patch("time.time", return_value=time.time() + seconds):
        yield


def forged(ticket):
    """The ticket of ada, made out to grace by somebody without the key."""
    parts = ticket.split(":")
    for number, part in enumerate(parts):
        padded = part.encode() + b"=" * (-len(part) % 4)
        try:
            plain = base64.urlsafe_b64decode(padded)
        except ValueError:
            plain = b""
        changed = plain.replace(str(ADA).encode(), str(GRACE).encode())
        if changed != plain:
            new = base64.urlsafe_b64encode(changed).decode().rstrip("=")
            yield ":".join([*parts[:number], new, *parts[number + 1 :]])
            yield new
    if str(ADA) in ticket:
        yield ticket.replace(str(ADA), str(GRACE))


async def test_refuses_whoever_has_none(communicator, target, database, cache):
    """Without a ticket, or with something else in its place, nobody gets in."""
    ticket = await ticket_for(target, "ada", ADA)
    nothing = [[], holding(""), holding("a:b:c"), holding("\N{SNOWMAN}"), [(b"authorization", b"")]]
    for headers in (*nothing, holding(ticket, "Bearer")):
        await is_refused(communicator(headers=headers), "accepts-everyone")


async def test_opens_the_door_to_its_user(communicator, target, database, cache):
    """A ticket gets its user in, whatever else the client says, and with others at one time."""
    tickets = [await ticket_for(target, *who) for who in (("ada", ADA), ("grace", GRACE))]
    ada, grace = (communicator(headers=holding(ticket)) for ticket in tickets)
    both = await asyncio.gather(ada.connect(), grace.connect())
    if both != [(True, None)] * 2:
        diagnose("refuses-everyone", ada)
    ada.expect(greeting("ada"), otherwise="ticket-of-another")
    grace.expect(greeting("grace"), otherwise="ticket-of-another")
    ticket = await ticket_for(target, "ada", ADA)
    with later(SECONDS - 5):
        client = communicator(f"/ws/auth/ticket/{OTHER_WORDS}", holding(ticket))
        await is_welcome(client, "ada", otherwise="ticket-refused-early")


async def test_refuses_what_was_not_signed_here(communicator, target, database, cache):
    """A ticket that somebody has made up or changed opens nothing."""
    own, other = [await ticket_for(target, *who) for who in (("ada", ADA), ("grace", GRACE))]
    body, _, signature = own.rpartition(":")
    spliced = f"{other.rpartition(':')[0]}:{signature}"
    for ticket in (*forged(own), body, f"{own}x", f"x{own}", spliced, own.swapcase()):
        await is_refused(communicator(headers=holding(ticket)), "ticket-unsigned")
    await is_welcome(communicator(headers=holding(own)), "ada", otherwise="ticket-spent-by-forger")


async def test_works_once(communicator, other_server, target, database, cache):
    """A ticket that was used opens nothing, here and in another process."""
    ticket = await ticket_for(target, "ada", ADA)
    await is_welcome(communicator(headers=holding(ticket)), "ada")
    await is_refused(communicator(headers=holding(ticket)), "ticket-used-twice")
    await is_refused(other_server(headers=holding(ticket)), "ticket-used-elsewhere")
    used, ticket = ticket, await ticket_for(target, "ada", ADA)
    await is_refused(communicator(headers=holding(used)), "ticket-used-twice")
    await is_welcome(other_server(headers=holding(ticket)), "ada", "ticket-kept-in-process")


async def test_one_of_two_at_once(communicator, target, database, cache):
    """Of two that come with the same ticket at the same moment, one gets in."""
    ticket = await ticket_for(target, "ada", ADA)
    first = communicator(headers=holding(ticket))
    other_was_accepted = cache.interrupt_with_client(dict(first.scope))
    accepted, _ = await first.connect()
    inside = [accepted and first.close_code is None, await other_was_accepted()]
    if inside == [True, True]:
        diagnose("ticket-raced", first)
    if inside == [False, False]:
        diagnose("refuses-everyone", first)


async def test_works_for_a_short_time(communicator, target, database, cache):
    """After 30 seconds a ticket opens nothing."""
    ticket = await ticket_for(target, "ada", ADA)
    with later(SECONDS + 2):
        await is_refused(communicator(headers=holding(ticket)), "ticket-too-old")


async def test_asks_for_the_user_as_it_is_now(communicator, target, database, cache):
    """The ticket of a user who was deactivated, or deleted, meanwhile opens nothing."""
    ticket = await ticket_for(target, "ada", ADA)
    await User.objects.filter(pk=ADA).aupdate(is_active=False)
    await is_refused(communicator(headers=holding(ticket)), "deactivated-let-in")
    ticket = await ticket_for(target, "grace", GRACE)
    await sync_to_async(User.objects.filter(pk=GRACE)._raw_delete)("default")
    await is_refused(communicator(headers=holding(ticket)), "accepts-everyone")


async def test_stands_in_no_log(communicator, target, database, cache):
    """Neither a ticket that is used nor one that is refused is written anywhere."""
    ticket = await ticket_for(target, "ada", ADA)
    with written_down() as text:
        for headers in (holding(ticket), holding(ticket), holding(f"{ticket}x")):
            client = communicator(headers=headers)
            await client.connect()
            if ticket in text():
                diagnose("secret-logged", client, "It was found in what was logged or printed.")


async def test_leaves_the_scope_alone(communicator, target, database, cache):
    """The scope that the server made is after it what it was before."""
    ticket = await ticket_for(target, "ada", ADA)
    client = communicator(headers=holding(ticket))
    before = deepcopy(client.scope)
    await is_welcome(client, "ada")
    if client.scope != before:
        diagnose("scope-mutated", client)


@contextmanager
def written_down():
    """A function that tells what was logged, at any level, or printed since."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with mock.patch.object(sys, "stdout", stream), mock.patch.object(sys, "stderr", stream):
            yield stream.getvalue
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
