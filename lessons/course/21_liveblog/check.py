"""Lesson 21: is each client told of what is committed, once, and of nothing else?"""

import json

from django.contrib.auth.models import Group, User
from django.db import transaction

from db_demo.models import Post, Visit
from lessons.judge import diagnose, receiver_was_lost


def write(title):
    return Post.objects.create(title=title)


def rename(title, new):
    post = Post.objects.get(title=title)
    post.title = new
    post.save()


def delete(*titles):
    for post in Post.objects.filter(title__in=titles):
        post.delete()


def saved(number, title):
    return {"saved": number, "title": title}


def deleted(number):
    return {"deleted": number}


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


def parsed(message):
    try:
        return json.loads(message["text"])
    except (KeyError, TypeError, ValueError):
        return message


def hears(client, *news, otherwise=None):
    """These, and nothing else, came to the client, written as JSON in whatever way."""
    told = [parsed(message) for message in client.unread]
    if told == list(news):
        client.expect(*client.unread)
        return
    if not told and receiver_was_lost():
        diagnose("receiver-gone", client)
    if news and {"saved": None} in [{"saved": it["saved"]} for it in told if "saved" in it]:
        diagnose("notified-before-save", client)
    if news and len(told) > len(news) and all(it in news for it in told):
        diagnose("notified-twice", client)
    frames = [{"type": "websocket.send", "text": json.dumps(it)} for it in news]
    client.expect(*frames, otherwise=otherwise)


async def test_tells_each_client_of_a_post_that_is_written(communicator, database):
    """A post that is written, each client is told of once; by async code, too."""
    clients = [await enter(communicator) for _ in range(3)]
    await database.do(write, "Rain")
    for client in clients:
        hears(client, saved(1, "Rain"))
    await Post.objects.acreate(title="Hail ☃")
    for client in clients:
        await client.receive_nothing(0)
        hears(client, saved(2, "Hail ☃"))


async def test_tells_of_a_post_that_is_changed(communicator, database):
    """A change to a post is news as well, with its new title."""
    await database.do(write, "Rain")
    client = await enter(communicator)
    await database.do(rename, "Rain", "Hail")
    hears(client, saved(1, "Hail"))


async def test_tells_nothing_before_the_commit(communicator, database):
    """What is saved in a transaction is told when that has been committed, and not before."""
    client = await enter(communicator)
    async with database.transaction(write, "Rain"):
        if client.unread:
            diagnose("sent-inside-transaction", client)
    hears(client, saved(1, "Rain"))


async def test_tells_nothing_of_what_is_rolled_back(communicator, database):
    """What is rolled back is never told, with its whole transaction or up to a savepoint."""
    client = await enter(communicator)
    async with database.transaction(write, "Rain") as this:
        this.rolls_back = True
    hears(client, otherwise="sent-for-rolled-back")
    await database.do(write, "Hail")
    (hail,) = await database.do(lambda: list(Post.objects.values_list("id", flat=True)))
    hears(client, saved(hail, "Hail"), otherwise="sent-for-rolled-back")

    def write_one_of_two():
        write("Sun")
        with transaction.atomic():
            write("Fog")
            transaction.set_rollback(True)

    async with database.transaction(write_one_of_two):
        pass
    hears(client, saved(hail + 1, "Sun"), otherwise="sent-for-rolled-back")


async def test_tells_of_a_post_that_is_deleted(communicator, database):
    """A post that is deleted is named by its id, in a transaction, too, as the admin has it."""
    for title in ("Rain", "Hail", "Fog", "Sun"):
        await database.do(write, title)
    client = await enter(communicator)
    await database.do(delete, "Rain")
    hears(client, deleted(1))
    async with database.transaction(delete, "Hail"):
        if client.unread:
            diagnose("sent-inside-transaction", client)
    without_id = client.unread and parsed(client.unread[0]) == deleted(None)
    hears(client, deleted(2), otherwise="deleted-without-id" if without_id else None)
    async with database.transaction(delete, "Sun") as this:
        this.rolls_back = True
    hears(client, otherwise="sent-for-rolled-back")
    await database.do(Post.objects.filter(title__in=("Fog", "Sun")).delete)
    client.unread.sort(key=str)  # the order is Django's own affair
    hears(client, deleted(3), deleted(4))


async def test_other_tables_are_nobodys_news(communicator, database):
    """What is saved or deleted in other tables is not told of."""
    client = await enter(communicator)

    def change_others():
        User.objects.create(username="ada").delete()
        group = Group.objects.create(name="editors")
        Visit.objects.create(group=group)
        group.delete()

    await database.do(change_others)
    hears(client, otherwise="notified-for-other-models")


async def test_who_comes_later_hears_once_and_who_has_left_leaves_nothing(communicator, database):
    """However many have come and gone, each who is there is told once; a frame changes nothing."""
    for code in (1001, None):
        client = await enter(communicator)
        await client.disconnect(code)
    client = await enter(communicator)
    await client.crash()
    clients = [await enter(communicator) for _ in range(2)]
    await clients[0].send_to(text_data="hello")
    await database.do(write, "Rain")
    for client in clients:
        hears(client, saved(1, "Rain"))
