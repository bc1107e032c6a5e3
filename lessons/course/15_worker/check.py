"""Lesson 15: does a job reach the worker, and its answer the one connection that asked?"""

import asyncio
from contextlib import suppress

from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer

from lessons.judge import diagnose

CHANNEL = "weekdays"
PATIENCE = 5  # seconds of the loop's clock: a job may take its time
SATURDAY, MONDAY, SUNDAY = "2026-11-21: Saturday", "1969-07-21: Monday", "2000-01-02: Sunday"
NO_DATE = "hello: not a date"
AT_ONCE = {"asked", "busy"}
KNOWN = {SATURDAY, MONDAY, SUNDAY, NO_DATE} | AT_ONCE
OWN = "specific."  # in every name of a channel that a consumer has got for itself


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


async def ask(client, answer, waits="waits-for-answer"):
    """The client asks for what `answer` tells. Nobody waits for it in the handler."""
    await client.send_to(text_data=answer.partition(":")[0])
    if client.is_busy:
        diagnose(waits, client)


async def hears(client, worker, *texts, otherwise=None):
    """All that the client was sent since the last look is these; answers may change places."""
    await client.receive_nothing()  # a consumer that the answer has killed is red here
    if len(client.unread) < len(texts):
        await asyncio.sleep(PATIENCE)
    unread = client.unread
    unread.sort(key=lambda event: [*texts, event.get("text")].index(event.get("text")))
    got = [event.get("text") for event in unread]
    if got != list(texts) and KNOWN.issuperset(got):
        missing, too_much = set(texts) - set(got), set(got) - set(texts)
        otherwise = otherwise or cause_of(client, worker, missing, too_much)
    client.expect(*[said(text) for text in texts], otherwise=otherwise)


def said(text):
    return {"type": "websocket.send", "text": text}


def cause_of(client, worker, missing, too_much=frozenset()):
    """Id of the diagnosis for a client that heard something else: how far has its job come?"""
    asked, answered = calls(client), calls(worker)
    jobs = [call for call in asked if call.get("channel") == CHANNEL]
    groups = {call["group"] for call in asked if call["type"] == "group_add"}
    if too_much and not worker.transcript:
        return "done-in-web-process"
    if too_much - AT_ONCE:
        is_for_all = any(call["type"] == "group_send" for call in answered)
        return "answered-everyone" if is_for_all else "worker-remembers"
    if not missing - AT_ONCE:
        # Who has spoken before, and now says nothing, waits for the answer to an earlier job.
        return "job-lost" if jobs and not client.unread and has_spoken(client) else None
    if not jobs:
        return cause_of_no_job(asked)
    channels = {call["channel"] for call in answered if call["type"] == "send"}
    to_groups = {call["group"] for call in answered if call["type"] == "group_send"}
    if groups & channels or to_groups - groups:
        return "group-as-channel"
    if any(OWN in channel and channel not in str(worker.jobs) for channel in channels):
        return "answered-itself"
    if not any(way in str(jobs) for way in {OWN, *groups}):
        return "reply-channel-missing"
    worker.judge()
    if worker.is_busy:
        return "job-holds-others"
    if any(text.partition(": ")[2] in str(answered) for text in missing):
        return "worker-remembers"
    return "job-unanswered" if worker.jobs else None


def cause_of_no_job(asked):
    if any(call.get("group") == CHANNEL for call in asked):
        return "group-as-channel"
    return "wrong-channel" if any(call["type"] == "send" for call in asked) else "job-not-sent"


def has_spoken(client):
    return any(event.message["type"] == "websocket.send" for event in client.transcript)


def calls(one):
    """What was asked of the channel layer, in the order of time."""
    events = [event for event in one.transcript if event.lane == "layer"]
    return [event.message for event in events if event.direction == "out"]


async def loses_a_job(client, worker):
    """The job is taken from its channel, by whoever then dies with it."""
    if await worker.take_job(CHANNEL) is None:
        diagnose(cause_of(client, worker, missing={SATURDAY}), client)


async def test_a_worker_does_the_job(communicator, worker):
    """What a client asks for is looked up by the worker, and comes after `asked`."""
    await worker.start(CHANNEL)
    client = await enter(communicator)
    for answer in (SATURDAY, MONDAY):
        await ask(client, answer)
        await hears(client, worker, "asked", answer)


async def test_waits_for_nobody(communicator, worker):
    """With no worker there, a client hears `asked`, again and again, and the jobs wait."""
    client = await enter(communicator)
    for answer in (SATURDAY, MONDAY):
        await ask(client, answer)
        await hears(client, worker, "asked")
    await worker.start(CHANNEL)
    await hears(client, worker, SATURDAY, MONDAY)


async def test_each_connection_gets_its_own_answers(communicator, worker):
    """Of three clients each gets its own answer, whoever asks first, leaves early or asks last."""
    first, second, third = [await enter(communicator) for _ in range(3)]
    for client, answer in ((first, SATURDAY), (second, MONDAY), (third, SUNDAY)):
        await ask(client, answer)
        await hears(client, worker, "asked")
    await second.disconnect(1001)
    await worker.start(CHANNEL)
    await hears(first, worker, SATURDAY)
    await hears(third, worker, SUNDAY)
    for client, other, answer in ((third, first, MONDAY), (first, third, SUNDAY)):
        await ask(client, answer)
        await hears(other, worker)
        await hears(client, worker, "asked", answer)


async def test_a_job_that_cannot_be_done(communicator, worker):
    """What is no date is answered with that, and the jobs that wait behind it are done."""
    client = await enter(communicator)
    for answer in (SATURDAY, NO_DATE, MONDAY, SUNDAY):
        await ask(client, answer)
        await hears(client, worker, "asked")
    await worker.start(CHANNEL)
    await hears(client, worker, SATURDAY, NO_DATE, MONDAY, SUNDAY)


async def test_a_lost_job_holds_nobody_up(communicator, worker):
    """Where a worker dies with a job, the client may ask again, and the next worker answers."""
    client = await enter(communicator)
    await ask(client, SATURDAY)
    await hears(client, worker, "asked")
    await loses_a_job(client, worker)
    await ask(client, SATURDAY)
    await hears(client, worker, "asked")
    await loses_a_job(client, worker)
    await worker.start(CHANNEL)
    await ask(client, MONDAY)
    await hears(client, worker, "asked", MONDAY)
    await worker.kill()
    await worker.start(CHANNEL)
    await ask(client, SUNDAY)
    await hears(client, worker, "asked", SUNDAY)


async def test_a_full_channel_is_said(communicator, worker):
    """Where the channel is full the client hears `busy` alone, and can ask again later."""
    client, fillers = await enter(communicator), 0
    with suppress(ChannelFull):
        while True:
            await get_channel_layer().send(CHANNEL, {"type": "filler"})
            fillers += 1
    await ask(client, SATURDAY, waits="full-channel-not-reported")
    await hears(client, worker, "busy", otherwise="full-channel-not-reported")
    for _ in range(fillers):
        await worker.take_job(CHANNEL)
    await worker.start(CHANNEL)
    await hears(client, worker, otherwise="full-channel-not-reported")
    await ask(client, SUNDAY)
    await hears(client, worker, "asked", SUNDAY)
