"""Lesson 21, LiveBlog: every reader receives each committed change, and nothing else."""

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import transaction

from db_demo.consumers import LiveBlog
from db_demo.models import Post

DATABASE = pytest.mark.django_db(transaction=True)


async def new_window():
    client = WebsocketCommunicator(LiveBlog.as_asgi(), "/ws/db/liveblog/")
    await client.connect()
    return client


@DATABASE
def test_a_reader_receives_a_change_that_other_code_saves():
    async def conversation():
        client = await new_window()
        post = await Post.objects.acreate(title="Rain", text="heavy")
        saved = {"type": "post.saved", "id": post.id, "title": "Rain", "text": "heavy"}
        assert await client.receive_json_from() == saved
        await client.disconnect()

    async_to_sync(conversation)()


@DATABASE
def test_a_reader_receives_nothing_of_a_transaction_that_is_rolled_back():
    @transaction.atomic
    def save_and_roll_back():
        Post.objects.create(title="Rain")
        transaction.set_rollback(True)

    async def conversation():
        client = await new_window()
        await sync_to_async(save_and_roll_back)()
        assert await client.receive_nothing()
        await client.disconnect()

    async_to_sync(conversation)()


@DATABASE
def test_a_deletion_in_a_transaction_sends_the_id():
    @transaction.atomic
    def delete(post):
        post.delete()
        assert post.pk is None  # too late to read it

    async def conversation():
        post = await Post.objects.acreate(title="Rain")
        number = post.pk
        client = await new_window()
        await client.receive_json_from()  # the post
        await sync_to_async(delete)(post)
        assert await client.receive_json_from() == {"type": "post.deleted", "id": number}
        await client.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator does not show what a consumer sends before the commit, and not whether it
# leaves its group after a crash. The tests below stop in a transaction, and cancel consumers.

import json

from channels.routing import URLRouter
from django.contrib.auth.models import Group, User
from django.forms import modelform_factory

from db_demo.routing import websocket_urlpatterns
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        yield fresh


def new_reader():
    return StrictCommunicator(URLRouter(websocket_urlpatterns), "/ws/db/liveblog/")


def new_messages(client):
    """Return the decoded frames since the last call."""
    frames, client.server.unread = client.unread, []
    return [json.loads(message["text"]) for message in frames]


async def enter(client):
    assert await client.connect() == (True, None)
    assert new_messages(client) == []


def write(title, text=""):
    return Post.objects.create(title=title, text=text)


def saved(number, title, text=""):
    return {"type": "post.saved", "id": number, "title": title, "text": text}


def deleted(number):
    return {"type": "post.deleted", "id": number}


async def test_all_readers_receive_a_post_its_change_and_its_deletion(database):
    async with new_reader() as first, new_reader() as second:
        await enter(first)
        await enter(second)
        post = await database.do(write, "Rain", "<script>alert(1)</script>\n☃")
        post.title = "Hail"
        await database.do(post.save)
        await database.do(post.delete)
        frames = [
            saved(1, "Rain", "<script>alert(1)</script>\n☃"),
            saved(1, "Hail", "<script>alert(1)</script>\n☃"),
            deleted(1),
        ]
        assert new_messages(first) == new_messages(second) == frames


async def test_a_new_reader_receives_the_last_fifty_posts_oldest_first(database):
    await database.do(lambda: [write(str(number)) for number in range(1, 53)])
    async with new_reader() as client:
        await client.connect()
        assert new_messages(client) == [saved(number, str(number)) for number in range(3, 53)]


# JSON writes a control character with 6 bytes, and an emoji with 12.
@pytest.mark.parametrize("text", ["x" * 22_000, "\x01" * 20_000, "🦊" * 20_000], ids=len)
async def test_fifty_long_posts_reach_a_new_reader(database, text):
    await database.do(lambda: [write("Rain", text) for _ in range(50)])
    async with new_reader() as client:
        await client.connect()
        assert new_messages(client) == [saved(id, "Rain", text) for id in range(1, 51)]


def test_a_form_refuses_a_post_with_a_longer_text():
    form = modelform_factory(Post, fields=["title", "text"])
    assert form({"title": "Rain", "text": "🦊" * 20_000}).is_valid()
    errors = form({"title": "Rain", "text": "x" * 20_001}).errors
    assert errors == {"text": ["Ensure this value has at most 20000 characters (it has 20001)."]}


async def test_a_post_saved_between_join_and_read_is_not_missed(database, layer, monkeypatch):
    """It may arrive twice. The page identifies a post by its id."""
    add = layer.group_add

    async def join_and_then_save_a_post(group, channel):
        await add(group, channel)
        await Post.objects.acreate(title="Rain")

    monkeypatch.setattr(layer, "group_add", join_and_then_save_a_post)
    async with new_reader() as client:
        await client.connect()
        assert new_messages(client) == [saved(1, "Rain"), saved(1, "Rain")]


async def test_posts_of_async_code_are_sent_too(database):
    async with new_reader() as client:
        await enter(client)
        post = await Post.objects.acreate(title="Rain")
        await client.receive_nothing(0)
        await post.adelete()
        await client.receive_nothing(0)
        assert new_messages(client) == [saved(1, "Rain"), deleted(1)]


async def test_each_save_of_a_transaction_sends_the_row_that_was_committed(database):
    def write_twice():
        post = write("Rain")
        post.title = "Hail"
        post.save()

    async with new_reader() as client:
        await enter(client)
        async with database.transaction(write_twice):
            pass
        assert new_messages(client) == [saved(1, "Hail"), saved(1, "Hail")]


async def test_sends_nothing_before_the_commit(database):
    async with new_reader() as client:
        await enter(client)
        async with database.transaction(write, "Rain"):
            assert new_messages(client) == []
        assert new_messages(client) == [saved(1, "Rain")]


async def test_sends_nothing_after_a_rollback(database):
    def one_of_two():
        write("Rain")
        with transaction.atomic():
            write("Hail")
            transaction.set_rollback(True)

    async with new_reader() as client:
        await enter(client)
        async with database.transaction(write, "Sun") as open_transaction:
            open_transaction.rolls_back = True
        assert new_messages(client) == []
        async with database.transaction(one_of_two):
            pass
        assert new_messages(client) == [saved(1, "Rain")]


async def test_a_deletion_in_a_transaction_still_knows_the_id(database):
    for title in ("Rain", "Hail"):
        await database.do(write, title)
    async with new_reader() as client:
        await client.connect()
        new_messages(client)
        async with database.transaction(lambda: Post.objects.get(id=1).delete()):
            assert new_messages(client) == []
        assert new_messages(client) == [deleted(1)]
        await database.do(Post.objects.all().delete)
        assert new_messages(client) == [deleted(2)]


async def test_changes_of_other_tables_are_not_sent(database):
    async with new_reader() as client:
        await enter(client)
        await database.add_account("ada")
        await database.do(Group.objects.create, name="editors")
        await database.do(User.objects.all().delete)
        assert new_messages(client) == []


async def test_bulk_operations_send_no_signal(database):
    def in_bulk():
        Post.objects.bulk_create([Post(title="Rain"), Post(title="Hail")])
        Post.objects.filter(title="Rain").update(title="Sun")
        posts = list(Post.objects.all())
        posts[0].title = "Fog"
        Post.objects.bulk_update(posts, ["title"])

    async with new_reader() as client:
        await enter(client)
        await database.do(in_bulk)
        assert new_messages(client) == []


async def test_the_author_gets_no_error_during_an_outage(database, layer, monkeypatch, caplog):
    async def fail(*_):
        raise ConnectionError("no layer")

    async with new_reader() as client:
        await enter(client)
        monkeypatch.setattr(layer, "group_send", fail)
        await database.do(write, "Rain")
        async with database.transaction(write, "Hail"):
            pass
        assert new_messages(client) == []
    assert await Post.objects.acount() == 2
    assert {record.exc_info[0] for record in caplog.records} == {ConnectionError}


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_the_group_however_the_connection_ends(database, layer, end):
    async with new_reader() as client:
        await enter(client)
        await getattr(client, end)()
        assert not layer.groups


async def test_joins_before_it_accepts(database):
    async with StrictCommunicator(LiveBlog.as_asgi(), "/ws/db/liveblog/") as client:
        await client.connect()
        order = [event.message["type"] for event in client.transcript]
        assert order.index("group_add") < order.index("websocket.accept")


async def test_frames_of_a_reader_are_ignored(database):
    async with new_reader() as client:
        await enter(client)
        await client.send_to(text_data="hello")
        assert new_messages(client) == []


async def test_survives_a_cancel_before_its_first_event(layer):
    async with new_reader() as client:
        await client.kill()
    assert not layer.groups
