"""Slow readers: how much the hardened chat sends to a client that has not read it."""

import pytest

from db_demo.models import Room
from lessons.extras.hardened_chat import rate_limit, store
from lessons.extras.hardened_chat.logic import HEARTBEAT_INTERVAL
from lessons.extras.hardened_chat.presence import ANNOUNCE_INTERVAL
from lessons.extras.hardened_chat.receipts import FRAMES_PER_RECEIPT, RECEIPT_TIMEOUT
from lessons.workshop.judge import StrictCommunicator  # noqa: F401 - chooses the simulated loop
from tests.support.chat_client import chat_at
from tests.support.simulated_time import wait

UNCONFIRMED = 2 * FRAMES_PER_RECEIPT  # frames, at most


@pytest.fixture(params=["chat", "generic-chat"])
async def chat(request):
    async with chat_at(request.param) as chat:
        yield chat


def fill(count):
    """Save messages with the texts "0", "1" and so on. Returns the ids and the texts."""
    room, _ = Room.objects.get_or_create(name="lobby")
    texts = [str(number) for number in range(count)]
    return [room.messages.create(text=text).id for text in texts], texts


def texts_in(frames):
    return [frame["message"] for frame in frames if "message" in frame]


async def returning_client(chat, count):
    """A client that has missed this number of messages. Returns it and their texts."""
    ids, texts = await chat.database.do(fill, count + 1)
    return await chat.connect("ann", seen=ids[0]), texts[1:]


async def test_a_client_that_confirms_receives_its_whole_history_and_then_ready(chat):
    ann, texts = await returning_client(chat, 5 * UNCONFIRMED)
    frames, received = ann.new_frames(), []
    while frames:
        received += frames
        if any("confirm" in frame for frame in frames):
            await ann.confirm(frames)
        frames = ann.new_frames()
    assert texts_in(received) == texts
    names = [next(iter(frame)) for frame in received]
    assert names.index("ready") > len(texts)
    assert ann.client.close_code is None


async def test_a_client_that_confirms_nothing_receives_a_limited_number_of_frames(chat):
    ann, texts = await returning_client(chat, 5 * UNCONFIRMED)
    frames = ann.new_frames()
    bob = await chat.join("bob")
    for number in range(10):
        await bob.post(f"more {number}")
        await bob.client.send_json_to({"typing": True})
    await wait(ANNOUNCE_INTERVAL)
    frames += ann.new_frames()
    questions = [frame for frame in frames if "confirm" in frame]
    assert len(frames) - len(questions) == UNCONFIRMED
    assert texts_in(frames) == texts[:UNCONFIRMED]


async def test_a_client_that_confirms_nothing_is_closed_and_continues_when_it_returns(chat):
    ann, texts = await returning_client(chat, UNCONFIRMED + 7)
    frames = ann.new_frames()
    await wait(RECEIPT_TIMEOUT)
    assert ann.client.close_code is None
    await wait(HEARTBEAT_INTERVAL)
    assert ann.client.close_code == 4413
    assert ann.new_messages() == []
    last = [frame["id"] for frame in frames if "id" in frame][-1]
    again = await chat.connect("ann", seen=last)
    assert texts_in(frames) + again.new_messages() == texts


async def test_a_client_that_has_few_unconfirmed_frames_may_be_silent(chat):
    ann, texts = await returning_client(chat, FRAMES_PER_RECEIPT + 7)
    await wait(10 * RECEIPT_TIMEOUT)
    assert (ann.client.close_code, ann.new_messages()) == (None, texts)


@pytest.mark.parametrize("answer", ["0" * 16, "", None, 5, ["confirmed"]])
async def test_a_client_cannot_guess_the_token(chat, answer):
    ann, _ = await returning_client(chat, 2 * UNCONFIRMED)
    ann.new_frames()
    await ann.client.send_json_to({"confirmed": answer})
    assert ann.new_messages() == []


async def test_a_token_confirms_once(chat):
    ann, _ = await returning_client(chat, 3 * UNCONFIRMED)
    frames = ann.new_frames()
    await ann.confirm(frames)
    assert FRAMES_PER_RECEIPT <= len(ann.new_messages()) <= UNCONFIRMED
    await ann.confirm(frames)
    assert ann.new_messages() == []


async def test_a_receipt_counts_neither_as_a_frame_nor_as_activity(chat, monkeypatch):
    monkeypatch.setattr(rate_limit, "BURST", 1)
    monkeypatch.setattr(rate_limit, "IDLE_TIMEOUT", 3 * HEARTBEAT_INTERVAL)
    ann, texts = await returning_client(chat, 3 * UNCONFIRMED)
    received = []
    for _ in range(5):
        frames = ann.new_frames()
        received += frames
        await ann.confirm(frames)
    assert texts_in(received + ann.new_frames()) == texts
    await wait(5 * HEARTBEAT_INTERVAL)
    assert ann.client.close_code == 4408


async def test_a_classic_client_is_asked_for_nothing(chat):
    classic = await chat.join(seen=None)
    texts = [str(number) for number in range(3 * UNCONFIRMED)]
    await chat.database.do(fill, len(texts))
    await wait(HEARTBEAT_INTERVAL)
    assert classic.new_frames() == [{"message": text} for text in texts]


def test_a_page_of_messages_is_not_longer_than_the_frames_of_a_receipt():
    assert store.PAGE_SIZE <= FRAMES_PER_RECEIPT
