"""Submissions for lesson 20: right reading rooms are green, wrong ones get their diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

HEAD = """\
import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.consumer import AsyncConsumer
from channels.db import aclose_old_connections, database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import Group, User
from django.db import close_old_connections, connection, transaction
from django.db.models import F

from db_demo.models import Post


class ReadingRoom(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_receive(self, event):
        try:
            lines = await self.lines_of(event.get("text") or "")
        except Group.DoesNotExist:
            await self.tell("no such group")
            return
        for line in lines or ["no posts"]:
            await self.tell(line)

"""
DECORATED = """\
    @database_sync_to_async
    def lines_of(self, name):
        group = Group.objects.get(name=name)
        posts = Post.objects.filter(author__groups=group)
        return [f"{post.title}, by {post.author.username}" for post in posts]
"""
CALLED = """\
    async def lines_of(self, name):
        return await database_sync_to_async(self.query)(name)

    def query(self, name):
        posts = Post.objects.filter(author__groups=Group.objects.get(name=name))
        return [f"{post.title}, by {post.author}" for post in posts]
"""
ASYNC = """\
    async def lines_of(self, name):
        group = await Group.objects.aget(name=name)
        posts = Post.objects.filter(author__groups=group).select_related("author")
        return [f"{post.title}, by {post.author.username}" async for post in posts]
"""
VALUES = """\
    async def lines_of(self, name):
        group = await Group.objects.aget(name=name)
        posts = group.user_set.values_list("posts__title", "username").order_by("posts__id")
        return [f"{title}, by {author}" async for title, author in posts if title]
"""
STEP_BY_STEP = """\
    async def lines_of(self, name):
        group = await database_sync_to_async(Group.objects.get)(name=name)
        posts = await database_sync_to_async(list)(Post.objects.filter(author__groups=group))
        authors = await User.objects.ain_bulk([post.author_id for post in posts])
        return [f"{post.title}, by {authors[post.author_id].username}" for post in posts]
"""
AUTHOR_BY_AUTHOR = """\
    async def lines_of(self, name):
        lines = []
        group = await Group.objects.aget(name=name)
        async for post in Post.objects.filter(author__groups=group):
            author = await database_sync_to_async(lambda: post.author)()
            lines.append(f"{post.title}, by {author.username}")
        return lines
"""
PYTHON = """\
    @database_sync_to_async
    def lines_of(self, name):
        group = Group.objects.get(name=name)
        users = {user.pk: user.username for user in group.user_set.all()}
        posts = sorted(Post.objects.all(), key=lambda post: post.pk)
        return [f"{p.title}, by {users[p.author_id]}" for p in posts if p.author_id in users]
"""
TRANSACTION = DECORATED.replace("    def lines_of", "    @transaction.atomic\n    def lines_of")
RAW = """\
    @database_sync_to_async
    def lines_of(self, name):
        group = Group.objects.get(name=name)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT p.title, u.username FROM db_demo_post p JOIN auth_user u "
                "ON u.id = p.author_id JOIN auth_user_groups g ON g.user_id = u.id "
                "WHERE g.group_id = %s ORDER BY p.id", [group.pk])
            return [f"{title}, by {author}" for title, author in cursor.fetchall()]
"""
FIRST = """\
    async def lines_of(self, name):
        group = await Group.objects.filter(name=name).afirst()
        if group is None:
            raise Group.DoesNotExist
        return await self.query(group)

    @database_sync_to_async
    def query(self, group):
        posts = Post.objects.filter(author__groups=group).annotate(by=F("author__username"))
        return [f"{post.title}, by {post.by}" for post in posts]
"""
OWN_CARE = (
    CALLED.replace(
        "database_sync_to_async(self.query)(name)",
        "sync_to_async(self.cared_for, thread_sensitive=False)(name)",
    )
    + """
    def cared_for(self, name):
        try:
            return self.query(name)
        finally:
            connection.close()
"""
)
IN_AN_EXECUTOR = OWN_CARE.replace(
    "sync_to_async(self.cared_for, thread_sensitive=False)(name)",
    "asyncio.get_running_loop().run_in_executor(None, self.cared_for, name)",
)
OWN_THREAD = (
    DECORATED
    + """
    async def __call__(self, scope, receive, send):
        async with ThreadSensitiveContext():
            await super().__call__(scope, receive, send)
"""
)
HANDLER = '        for line in lines or ["no posts"]:\n            await self.tell(line)\n'
TRY = HEAD[HEAD.index("        try:") : HEAD.index("        for line")]

submissions = Submissions("orm", "", HEAD + DECORATED)


def judged(asks=DECORATED, old="", new=""):
    source = HEAD + asks
    assert old in source
    return submissions.verdict(source=source.replace(old, new))


@pytest.mark.parametrize(
    "asks",
    named(
        decorated=DECORATED,
        called=CALLED,
        the_async_orm=ASYNC,
        values_alone=VALUES,
        step_by_step=STEP_BY_STEP,
        author_by_author=AUTHOR_BY_AUTHOR,
        joined_in_python=PYTHON,
        in_a_transaction=TRANSACTION,
        in_sql=RAW,
        without_an_exception=FIRST,
        in_another_thread=CALLED.replace("(self.query)", "(self.query, thread_sensitive=False)"),
        in_its_own_executor=IN_AN_EXECUTOR,
        through_plain_sync_to_async=DECORATED.replace("@database_sync", "@sync"),
        in_any_thread_that_it_looks_after=OWN_CARE,
        in_its_own_thread=OWN_THREAD,
    ),
)
def test_every_use_of_a_thread_is_green(asks):
    assert judged(asks).findings == []


def test_the_row_may_be_looked_for_with_exists():
    asked = """\
        name = event.get("text") or ""
        if not await Group.objects.filter(name=name).aexists():
            await self.tell("no such group")
            return
        lines = await self.lines_of(name)
"""
    assert judged(DECORATED, TRY, asked).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "asks", "old", "new"),
    named(
        asks_on_the_loop=("orm-in-async", ASYNC, "await Group.objects.aget", "Group.objects.get"),
        counts_on_the_loop=(
            "orm-in-async",
            ASYNC,
            "        return [",
            "        assert posts.count() >= 0\n        return [",
        ),
        loops_on_the_loop=("lazy-queryset", ASYNC, "async for post", "for post"),
        makes_a_list_on_the_loop=(
            "lazy-queryset",
            STEP_BY_STEP,
            "await database_sync_to_async(list)(Post.objects.filter(author__groups=group))",
            "list(Post.objects.filter(author__groups=group))",
        ),
        slices_on_the_loop=(
            "lazy-queryset",
            ASYNC,
            "        return [",
            "        first = posts[0]\n        return [",
        ),
        returns_a_queryset=(
            "lazy-queryset",
            CALLED,
            'return [f"{post.title}, by {post.author}" for post in posts]',
            'return posts.values_list("title", flat=True)',
        ),
        returns_a_generator=(
            "unfetched-relation",
            DECORATED,
            'return [f"{post.title}, by {post.author.username}" for post in posts]',
            'return (f"{post.title}, by {post.author.username}" for post in posts)',
        ),
        forgets_select_related=("unfetched-relation", ASYNC, '.select_related("author")', ""),
        looks_at_the_author_outside=(
            "unfetched-relation",
            AUTHOR_BY_AUTHOR,
            "await database_sync_to_async(lambda: post.author)()",
            "post.author",
        ),
        calls_the_function=(
            "called-not-passed",
            CALLED,
            "(self.query)(name)",
            "(self.query(name))()",
        ),
        passes_a_list=(
            "called-not-passed",
            STEP_BY_STEP,
            "(list)(Post",
            "([])(Post",
        ),
        wraps_the_async_orm=(
            "async-orm-in-thread",
            STEP_BY_STEP,
            "Group.objects.get)",
            "Group.objects.aget)",
        ),
        does_not_call=("not-called", CALLED, "(self.query)(name)", "(self.query)"),
        does_not_await_the_row=("never-awaited", ASYNC, "await Group", "Group"),
        does_not_await_the_lines=(
            "never-awaited",
            DECORATED,
            "await self.lines_of",
            "self.lines_of",
        ),
        uses_to_thread=(
            "connection-left-open",
            CALLED,
            "database_sync_to_async(self.query)(name)",
            "asyncio.to_thread(self.query, name)",
        ),
        uses_any_thread=(
            "connection-left-open",
            DECORATED,
            "@database_sync_to_async",
            "@sync_to_async(thread_sensitive=False)",
        ),
        uses_the_loops_executor=(
            "connection-left-open",
            CALLED,
            "database_sync_to_async(self.query)(name)",
            "asyncio.get_running_loop().run_in_executor(None, self.query, name)",
        ),
        looks_after_the_wrong_thread=(
            "connection-left-open",
            CALLED,
            "return await database_sync_to_async(self.query)(name)",
            "lines = await asyncio.to_thread(self.query, name)\n"
            "        await aclose_old_connections()\n        return lines",
        ),
        switches_the_protection_off=(
            "query-on-loop",
            CALLED,
            "return await database_sync_to_async(self.query)(name)",
            'os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"\n        try:\n'
            "            return self.query(name)\n        finally:\n"
            '            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]',
        ),
        does_not_catch=("missing-row", DECORATED, "except Group.DoesNotExist", "except KeyError"),
        catches_another_models=(
            "missing-row",
            DECORATED,
            "except Group.DoesNotExist",
            "except Post.DoesNotExist",
        ),
        takes_no_group_for_an_empty_one=(
            "reply-differs",
            DECORATED,
            'tell("no such group")',
            'tell("no posts")',
        ),
        says_nothing_of_no_group=(
            "no-reply",
            DECORATED,
            '            await self.tell("no such group")\n            return\n',
            "            return\n",
        ),
        looks_for_the_name_in_any_case=(
            "reply-differs",
            DECORATED,
            "get(name=",
            "get(name__iexact=",
        ),
        newest_first=("reply-differs", DECORATED, "=group)\n", '=group).order_by("-id")\n'),
        twice_for_two_groups=(
            "reply-differs",
            DECORATED,
            "filter(author__groups=group)",
            "filter(author__groups__isnull=False)",
        ),
        keeps_the_posts=(
            "stale-rows",
            DECORATED,
            "posts = Post.objects.filter(author__groups=group)",
            "posts = type(self).__dict__.get(name) or Post.objects.filter(author__groups=group)\n"
            "        setattr(type(self), name, posts)",
        ),
        reads_text_alone=("text-on-binary", DECORATED, 'event.get("text") or ""', 'event["text"]'),
    ),
)
def test_a_wrong_change_gets_its_diagnosis(diagnosis, asks, old, new):
    assert judged(asks, old, new).diagnosis_ids[:1] == [diagnosis]
