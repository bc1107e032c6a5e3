"""Lesson 21's worked example: what is committed is told, to all, and nothing else is."""

import json

import pytest
from channels.routing import URLRouter
from django.contrib.auth.models import Group, User
from django.db import transaction

from db_demo.consumers import LiveBlog
from db_demo.models import Post
from db_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.database import fresh_database


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        yield fresh


def reader():
    return StrictCommunicator(URLRouter(websocket_urlpatterns), "/ws/db/liveblog/")


def news(client):
    """All that the client was told since the last look."""
    told, client.server.unread = client.unread, []
    return [json.loads(message["text"]) for message in told]


async def enter(client, *posts):
    assert await client.connect() == (True, None)
    assert news(client) == [{"type": "posts.all", "posts": list(posts)}]


def write(title, text=""):
    return Post.objects.create(title=title, text=text)


def saved(number, title, text=""):
    return {"type": "post.saved", "id": number, "title": title, "text": text}


def deleted(number):
    return {"type": "post.deleted", "id": number}


async def test_all_readers_are_told_of_a_post_and_of_its_change_and_its_end(database):
    async with reader() as first, reader() as second:
        await enter(first)
        await enter(second)
        post = await database.do(write, "Rain", "<script>alert(1)</script>\n☃")
        post.title = "Hail"
        await database.do(post.save)
        await database.do(post.delete)
        told = [
            saved(1, "Rain", "<script>alert(1)</script>\n☃"),
            saved(1, "Hail", "<script>alert(1)</script>\n☃"),
            deleted(1),
        ]
        assert news(first) == news(second) == told


async def test_who_comes_later_gets_the_last_fifty_posts_the_oldest_first(
    database,
):
    await database.do(lambda: [write(str(number)) for number in range(1, 53)])
    async with reader() as client:
        await client.connect()
        (first,) = news(client)
    assert [post["id"] for post in first["posts"]] == list(range(3, 53))
    assert first["posts"][0] == {"id": 3, "title": "3", "text": ""}


async def test_what_is_saved_between_joining_and_reading_is_not_missed(
    database, layer, monkeypatch
):
    """It may come twice: the page knows a post by its id."""
    add = layer.group_add

    async def join_and_then_somebody_writes(group, channel):
        await add(group, channel)
        await Post.objects.acreate(title="Rain")

    monkeypatch.setattr(layer, "group_add", join_and_then_somebody_writes)
    async with reader() as client:
        await client.connect()
        assert news(client) == [
            {"type": "posts.all", "posts": [{"id": 1, "title": "Rain", "text": ""}]},
            saved(1, "Rain"),
        ]


async def test_async_code_that_writes_is_heard_too(database):
    async with reader() as client:
        await enter(client)
        post = await Post.objects.acreate(title="Rain")
        await post.adelete()
        await client.receive_nothing(0)
        assert news(client) == [saved(1, "Rain"), deleted(1)]


async def test_nothing_is_told_before_the_commit(database):
    async with reader() as client:
        await enter(client)
        async with database.transaction(write, "Rain"):
            assert news(client) == []
        assert news(client) == [saved(1, "Rain")]


async def test_nothing_is_told_of_what_is_rolled_back(database):
    def one_of_two():
        write("Rain")
        with transaction.atomic():
            write("Hail")
            transaction.set_rollback(True)

    async with reader() as client:
        await enter(client)
        async with database.transaction(write, "Sun") as open_one:
            open_one.rolls_back = True
        assert news(client) == []
        async with database.transaction(one_of_two):
            pass
        assert news(client) == [saved(1, "Rain")]


async def test_a_deletion_in_a_transaction_still_knows_the_id(database):
    for title in ("Rain", "Hail"):
        await database.do(write, title)
    async with reader() as client:
        await client.connect()
        news(client)
        async with database.transaction(lambda: Post.objects.get(id=1).delete()):
            assert news(client) == []
        assert news(client) == [deleted(1)]
        await database.do(Post.objects.all().delete)
        assert news(client) == [deleted(2)]


async def test_other_tables_are_not_told_of(database):
    async with reader() as client:
        await enter(client)
        await database.add_account("ada")
        await database.do(Group.objects.create, name="editors")
        await database.do(User.objects.all().delete)
        assert news(client) == []


async def test_bulk_operations_are_not_heard(database):
    def in_bulk():
        Post.objects.bulk_create([Post(title="Rain"), Post(title="Hail")])
        Post.objects.filter(title="Rain").update(title="Sun")
        posts = list(Post.objects.all())
        posts[0].title = "Fog"
        Post.objects.bulk_update(posts, ["title"])

    async with reader() as client:
        await enter(client)
        await database.do(in_bulk)
        assert news(client) == []


async def test_who_writes_gets_no_error_if_the_layer_is_down(database, layer, monkeypatch, caplog):
    async def fail(*_):
        raise ConnectionError("no layer")

    async with reader() as client:
        await enter(client)
        monkeypatch.setattr(layer, "group_send", fail)
        await database.do(write, "Rain")
        async with database.transaction(write, "Hail"):
            pass
        assert news(client) == []
    assert await Post.objects.acount() == 2
    assert {record.exc_info[0] for record in caplog.records} == {ConnectionError}


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_is_out_of_the_group_whatever_ends_it(database, layer, end):
    async with reader() as client:
        await enter(client)
        await getattr(client, end)()
        assert not layer.groups


async def test_joins_before_it_accepts(database):
    async with StrictCommunicator(LiveBlog.as_asgi(), "/ws/db/liveblog/") as client:
        await client.connect()
        order = [event.message["type"] for event in client.transcript]
        assert order.index("group_add") < order.index("websocket.accept")


async def test_a_reader_has_nothing_to_say(database):
    async with reader() as client:
        await enter(client)
        await client.send_to(text_data="hello")
        assert news(client) == []


async def test_survives_a_cancel_before_its_first_event(layer):
    async with reader() as client:
        await client.kill()
    assert not layer.groups
