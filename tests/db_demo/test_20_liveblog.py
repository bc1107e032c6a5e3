"""Lesson 20, LiveBlog: every reader receives each committed change, and nothing else."""

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.db import transaction

from db_demo import signals
from db_demo.consumers import LiveBlog
from db_demo.models import Post

pytestmark = pytest.mark.django_db(transaction=True)


async def connect():
    client = WebsocketCommunicator(LiveBlog.as_asgi(), "/ws/db/liveblog/")
    assert await client.connect() == (True, None)
    return client


def saved(post):
    return {"type": "post.saved", "id": post.id, "title": post.title, "text": post.text}


@pytest.fixture
def sent(monkeypatch):
    """The messages that the signal receiver sends to the group."""
    messages = []
    monkeypatch.setattr(signals, "send", messages.append)
    return messages


async def test_all_readers_receive_a_post_its_change_and_its_deletion():
    readers = [await connect(), await connect()]
    post = await Post.objects.acreate(title="Rain", text="<b>\n☃")
    number = post.id
    for reader in readers:
        assert await reader.receive_json_from() == saved(post)
    post.title = "Hail"
    await post.asave()
    for reader in readers:
        assert await reader.receive_json_from() == saved(post)
    await post.adelete()
    for reader in readers:
        assert await reader.receive_json_from() == {"type": "post.deleted", "id": number}
        await reader.disconnect()


async def test_a_new_reader_receives_the_last_fifty_posts_oldest_first():
    posts = [await Post.objects.acreate(title=str(number)) for number in range(52)]
    reader = await connect()
    assert [await reader.receive_json_from() for _ in range(50)] == [saved(it) for it in posts[2:]]
    await reader.disconnect()
    assert await reader.receive_nothing(timeout=0)


async def test_fifty_long_posts_reach_a_new_reader():
    longest = "🦊" * 20_000  # JSON writes an emoji with 12 bytes
    await Post.objects.abulk_create([Post(title="Rain", text=longest) for _ in range(50)])
    reader = await connect()
    frames = [await reader.receive_from() for _ in range(50)]
    assert max(len(frame) for frame in frames) < 1024 * 1024  # Daphne sends no longer frame
    await reader.disconnect()


async def test_a_post_that_is_saved_just_before_the_join_is_not_missed(monkeypatch):
    layer = get_channel_layer()
    join = layer.group_add

    async def save_a_post_and_join(group, channel):
        await Post.objects.acreate(title="Rain")
        await join(group, channel)

    monkeypatch.setattr(layer, "group_add", save_a_post_and_join)
    reader = await connect()
    assert (await reader.receive_json_from())["title"] == "Rain"
    await reader.disconnect()


def test_sends_nothing_before_the_commit(sent):
    with transaction.atomic():
        post = Post.objects.create(title="Rain")
        assert sent == []
    assert sent == [{"type": "post.changed", "id": post.id}]


def test_sends_nothing_after_a_rollback(sent):
    with transaction.atomic():
        Post.objects.create(title="Rain")
        transaction.set_rollback(True)
    assert sent == []


def test_a_deletion_in_a_transaction_still_knows_the_id(sent):
    post = Post.objects.create(title="Rain")
    message = {"type": "post.changed", "id": post.id}
    with transaction.atomic():
        post.delete()
    assert post.id is None  # too late to read it
    assert sent == [message, message]


def test_bulk_operations_send_no_signal(sent):
    Post.objects.bulk_create([Post(title="Rain")])
    Post.objects.update(title="Sun")
    Post.objects.bulk_update([Post.objects.get()], ["title"])
    assert sent == []


async def test_the_author_gets_no_error_during_an_outage(monkeypatch, caplog):
    async def fail(group, message):
        raise ConnectionError("no layer")

    monkeypatch.setattr(get_channel_layer(), "group_send", fail)
    await Post.objects.acreate(title="Rain")
    assert "no layer" in caplog.text
