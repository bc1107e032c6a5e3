"""Lesson 25: Storyteller sends a story word by word. Its client decides how fast, and when it ends.

Each `more` of the client is good for three words, and `stop` ends the story at once.
"""

import asyncio

import pytest
from channels.testing import WebsocketCommunicator

from async_demo import storyteller
from async_demo.asgi import application
from async_demo.storyteller import Storyteller

PATH = "/ws/async/stream/"


async def words_at_once(title):
    for word in storyteller.STORIES[title].split():
        yield word


@pytest.fixture
async def client(monkeypatch):
    monkeypatch.setattr(storyteller, "words_of", words_at_once)
    client = WebsocketCommunicator(application, PATH)
    assert await client.connect() == (True, None)
    return client


async def receives(client, *texts):
    assert [await client.receive_from() for _ in texts] == [*texts]
    assert await client.receive_nothing(timeout=0.02)


async def test_words_wait_for_more_in_a_task_and_not_in_a_handler(client):
    await client.send_to(text_data="hare")
    await receives(client, "The", "hare", "slept")
    await client.send_to(text_data="more")
    await receives(client, "and", "the", "tortoise")
    await client.send_to(text_data="more")
    await receives(client, "won", "the", "race", "the end")
    await client.disconnect()


async def test_more_does_not_add_up(client):
    for text in ("more", "more", "hare"):
        await client.send_to(text_data=text)
    await receives(client, "The", "hare", "slept")
    await client.disconnect()


async def test_a_stop_ends_the_story_at_once(client):
    await client.send_to(text_data="hare")
    await receives(client, "The", "hare", "slept")
    await client.send_to(text_data="stop")
    await receives(client, "stopped")
    for text in ("more", "stop"):  # without a story, they have no effect
        await client.send_to(text_data=text)
    await receives(client)
    await client.send_to(text_data="fox")
    await receives(client, "The", "fox", "called")
    await client.disconnect()


async def test_a_stop_is_reported_after_the_source_of_the_words_was_closed(client, monkeypatch):
    closed = []

    async def words_of(title):
        try:
            yield "word"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)  # the end of a connection to a model takes time
            closed.append(title)

    monkeypatch.setattr(storyteller, "words_of", words_of)
    await client.send_to(text_data="hare")
    assert await client.receive_from() == "word"
    await client.send_to(text_data="stop")
    assert await client.receive_from() == "stopped"
    assert closed == ["hare"]
    await client.disconnect()


async def test_a_second_story_is_refused_during_the_first(client):
    await client.send_to(text_data="hare")
    await receives(client, "The", "hare", "slept")
    await client.send_to(text_data="fox")
    await receives(client, "busy")
    await client.disconnect()


async def test_a_failure_is_logged_and_reported_and_the_next_story_begins(client, caplog):
    await client.send_to(text_data="wolf")
    await receives(client, "failed")
    assert [record.message for record in caplog.records] == ["The story 'wolf' failed."]
    assert caplog.records[0].exc_info[0] is KeyError
    await client.send_to(text_data="fox")
    await receives(client, "The", "fox", "called")
    await client.disconnect()


async def test_each_client_has_its_own_story_and_credit(client):
    other = WebsocketCommunicator(Storyteller.as_asgi(), PATH)
    await other.connect()
    await client.send_to(text_data="hare")
    await other.send_to(text_data="fox")
    await receives(client, "The", "hare", "slept")
    await receives(other, "The", "fox", "called")
    await client.disconnect()
    await other.disconnect()


async def test_no_story_is_left_when_the_client_leaves_in_the_middle(client):
    await client.send_to(text_data="hare")
    assert await client.receive_from() == "The"
    await client.disconnect()
    assert asyncio.all_tasks() == {asyncio.current_task()}
