"""Lesson 20: is the database asked right, in the right thread, and is the answer the right one?"""

import threading

from django.contrib.auth.models import Group, User
from django.db import transaction

from db_demo.models import Post
from lessons.judge import diagnose


def said(text):
    return {"type": "websocket.send", "text": text}


def add_writer(name, *groups):
    user = User.objects.create(username=name)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    return user


def write(title, name):
    return Post.objects.create(title=title, author=User.objects.get(username=name))


@transaction.atomic  # one commit takes less time than twenty
def fill():
    """Two groups, one member in both, a group without posts, and a post that nobody has signed."""
    add_writer("ada", "editors")
    add_writer("grace", "editors", "guests")
    add_writer("linus", "guests", "readers")
    User.objects.create(username="alan")
    for title, name in [("Rain", "grace"), ("Hail", "ada"), ("Fog", "alan"), ("Sun", "grace")]:
        write(title, name)
    Post.objects.create(title="unsigned")
    Group.objects.create(name="silent")


async def enter(communicator):
    client = communicator()
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    client.expect()
    return client


async def asks(client, name, *lines, otherwise=None):
    await client.send_to(text_data=name)
    if client.close_code is not None:
        diagnose("closed-early", client)
    client.expect(*map(said, lines), otherwise=otherwise)


async def test_tells_what_the_members_of_a_group_wrote(communicator, database):
    """The name of a group gets a frame for each post of its members, in the order of writing."""
    await database.do(fill)
    client = await enter(communicator)
    await asks(client, "editors", "Rain, by grace", "Hail, by ada", "Sun, by grace")
    await asks(client, "guests", "Rain, by grace", "Sun, by grace")


async def test_a_group_without_posts(communicator, database):
    """A group whose members wrote nothing, or that has none, gets "no posts"."""
    await database.do(fill)
    client = await enter(communicator)
    for name in ("readers", "silent"):
        await asks(client, name, "no posts")


async def test_a_group_that_is_not_there(communicator, database):
    """Any other name gets "no such group", and so does a binary frame; the client may ask again."""
    await database.do(fill)
    client = await enter(communicator)
    for name in ("Editors", "edit", "ada", "1", "☃", "' OR 1=1 --", ""):
        await asks(client, name, "no such group")
    await client.send_to(bytes_data=b"editors")
    client.expect(said("no such group"))
    await asks(client, "guests", "Rain, by grace", "Sun, by grace")


async def test_is_told_what_is_true_now(communicator, database):
    """What was written, renamed or left since, the next answer has; on the same connection too."""
    await database.do(fill)
    client = await enter(communicator)
    await asks(client, "guests", "Rain, by grace", "Sun, by grace")
    await database.do(write, "Frost", "linus")
    await database.do(User.objects.filter(username="grace").update, username="hopper")
    lines = "Rain, by hopper", "Sun, by hopper", "Frost, by linus"
    await asks(client, "guests", *lines, otherwise="stale-rows")
    await database.do(Group.objects.filter(name="guests").delete)
    await asks(client, "guests", "no such group", otherwise="stale-rows")
    await asks(await enter(communicator), "readers", "Frost, by linus", otherwise="stale-rows")


async def test_no_query_runs_on_the_loop(communicator, database):
    """Every query runs in another thread than the event loop's."""
    await database.do(fill)
    client = await enter(communicator)
    for name in ("editors", "silent", "none"):
        await client.send_to(text_data=name)
    queries = [event for event in client.transcript if event.lane == "database"]
    here = threading.current_thread().name
    if any(query.thread == here for query in queries):
        diagnose("query-on-loop", client)


async def test_no_connection_to_the_database_stays_behind(communicator, database):
    """When the clients have left, no thread but the handlers' own has a connection."""
    await database.do(fill)
    for name in ("editors", "silent", "none"):
        client = await enter(communicator)
        await client.send_to(text_data=name)
        await client.disconnect()
    if left := await database.unmanaged_connections():
        diagnose("connection-left-open", client, f"In use: {', '.join(left)}")
