"""Submissions for lesson 21: each right ticker is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import asyncio
import json
import threading
from functools import partial

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from db_demo.models import Post


def tell(message):
    async_to_sync(get_channel_layer().group_send)("ticker", message)


def tell_after_commit(news):
    transaction.on_commit(partial(tell, {"type": "ticker.news", "news": news}))


def post_saved(sender, instance, **kwargs):
    tell_after_commit({"saved": instance.pk, "title": instance.title})


def post_deleted(sender, instance, **kwargs):
    tell_after_commit({"deleted": instance.pk})


def ready():
    post_save.connect(post_saved, sender=Post)
    post_delete.connect(post_deleted, sender=Post)


class Ticker(AsyncConsumer):
    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("ticker", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("ticker", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        pass

    async def ticker_news(self, event):
        await self.send({"type": "websocket.send", "text": json.dumps(event["news"])})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""
READY = RIGHT[RIGHT.index("def ready") : RIGHT.index("class Ticker")]
SAVED = RIGHT[RIGHT.index("def post_saved") : RIGHT.index("def post_deleted")]
DELETED = RIGHT[RIGHT.index("def post_deleted") : RIGHT.index("def ready")]
AFTER = '    transaction.on_commit(partial(tell, {"type": "ticker.news", "news": news}))\n'
TELL = '    async_to_sync(get_channel_layer().group_send)("ticker", message)\n'
READ = '"saved": instance.pk, "title": instance.title'
CONNECT = "    post_save.connect(post_saved, sender=Post)\n"
DECORATED = [
    (READY, ""),
    ("def post_saved", "@receiver(post_save, sender=Post)\ndef post_saved"),
    ("def post_deleted", "@receiver(post_delete, sender=Post)\ndef post_deleted"),
]
ONE_FOR_BOTH = """\
def changed(sender, instance, signal, **kwargs):
    if sender is not Post:
        return
    if signal is post_delete:
        news = {"deleted": instance.id}
    else:
        news = {"saved": instance.id, "title": instance.title}
    tell_after_commit(news)


def ready():
    post_save.connect(changed, dispatch_uid="ticker-save")
    post_delete.connect(changed, dispatch_uid="ticker-delete")


"""

submissions = Submissions("liveblog", "", RIGHT)


def judged(*changes):
    source = RIGHT
    for old, new in changes:
        assert old in source
        source = source.replace(old, new, 1)
    return submissions.verdict(source=source)


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        connects_as_it_is_run=(DECORATED,),
        connects_as_it_is_run_with_a_uid=(
            [*DECORATED, ("post_save, sender=Post)", 'post_save, sender=Post, dispatch_uid="t")')],
        ),
        one_receiver_for_both=([(SAVED, ""), (DELETED, ""), (READY, ONE_FOR_BOTH)],),
        a_lambda_for_on_commit=(
            [(AFTER, '    message = {"type": "ticker.news", "news": news}\n'
                     "    transaction.on_commit(lambda: tell(message))\n")],
        ),
        robust=([("news}))\n", "news}), robust=True)\n")],),
        connected_twice_by_name=([(CONNECT, CONNECT * 2)],),
        a_lambda_that_is_kept=(
            [(CONNECT, "    post_save.connect(\n        lambda sender, instance, **kwargs: "
                       "post_saved(sender, instance), sender=Post, weak=False)\n")],
        ),
        listens_before_the_deletion=([("post_delete.connect", "pre_delete.connect")],),
        reads_the_title_at_the_commit=(
            [(SAVED, "def post_saved(sender, instance, **kwargs):\n    transaction.on_commit("
                     'lambda: tell({"type": "ticker.news", "news": {' + READ + "}}))\n\n\n")],
        ),
        the_frame_is_made_at_the_sender=(
            [('"news": news}', '"text": json.dumps(news, indent=1)}'),
             ('json.dumps(event["news"])', 'event["text"]')],
        ),
        two_messages_for_two_kinds=(
            [('"type": "ticker.news", "news": news', '"type": f"ticker.{min(news, key=len)}", '
              '"news": news'),
             ("    async def websocket_disconnect", "    ticker_saved = ticker_deleted = "
              "ticker_title = ticker_news\n\n    async def websocket_disconnect")],
        ),
        on_delete_of_many=([("instance.pk})\n", "instance.id})\n")],),
    ),
)  # fmt: skip
def test_a_ticker_that_sends_committed_rows_is_green(changes):
    assert judged(*changes).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "changes"),
    named(
        sends_at_once=(
            "sent-inside-transaction",
            [(AFTER, '    tell({"type": "ticker.news", "news": news})\n')],
        ),
        sends_deletions_at_once=(
            "sent-inside-transaction",
            [("    tell_after_commit({\"deleted\": instance.pk})",
              '    tell({"type": "ticker.news", "news": {"deleted": instance.pk}})')],
        ),
        sends_unless_in_a_transaction=(
            "no-reply",
            [(AFTER, "    if not transaction.get_connection().in_atomic_block:\n    " + AFTER)],
        ),
        sends_changes_at_once=(
            "sent-inside-transaction",
            [(AFTER, AFTER.replace("on_commit(partial(tell, ", "get_connection() and tell(")
              .replace("}))", "})"))],
        ),
        collects_and_forgets_to_empty=(
            "notified-twice",
            [("def tell_after_commit(news):\n", "waiting = []\n\n\ndef tell_after_commit(news):\n"
              "    waiting.append(news)\n"),
             (AFTER, "    transaction.on_commit(lambda: [tell({'type': 'ticker.news', 'news': it})"
                     " for it in waiting * 2])\n")],
        ),
        collects_what_is_rolled_back=(
            "sent-for-rolled-back",
            [("def tell_after_commit(news):\n", "waiting = []\n\n\ndef tell_after_commit(news):\n"
              "    waiting.append(news)\n"),
             (AFTER, "    transaction.on_commit(flush)\n\n\ndef flush():\n    while waiting:\n"
                     '        tell({"type": "ticker.news", "news": waiting.pop(0)})\n')],
        ),
        calls_it=("on-commit-called", [("partial(tell, ", "tell("), ("news}))", "news}))")]),
        gives_none=("on-commit-called", [("partial(tell, {", "print({")]),
        reads_the_id_too_late=(
            "deleted-without-id",
            [(DELETED, "def post_deleted(sender, instance, **kwargs):\n    transaction.on_commit("
              'lambda: tell({"type": "ticker.news", "news": {"deleted": instance.pk}}))\n\n\n')],
        ),
        sends_the_instance=(
            "not-serializable",
            [(READ, '"saved": instance.pk, "title": instance.title, "post": instance')],
        ),
        sends_the_date=("not-serializable", [(READ, READ + ', "at": instance.written_at')]),
        does_not_listen_to_deletions=(
            "no-reply", [("    post_delete.connect(post_deleted, sender=Post)\n", "")],
        ),
        never_connects=("no-reply", [(READY, "")]),
        names_ready_otherwise=("no-reply", [("def ready", "def connect")]),
        connects_lambdas=(
            "receiver-gone",
            [(CONNECT, "    post_save.connect(lambda **it: post_saved(**it), sender=Post)\n")],
        ),
        connects_two_partials=(
            "notified-twice",
            [(CONNECT, "    for _ in range(2):\n"
              "        post_save.connect(partial(post_saved), sender=Post, weak=False)\n")],
        ),
        connects_without_a_sender=(
            "exception", [("post_save.connect(post_saved, sender=Post)",
                           "post_save.connect(post_saved)")],
        ),
        reports_every_deletion=(
            "notified-for-other-models",
            [("post_delete.connect(post_deleted, sender=Post)",
              "post_delete.connect(post_deleted)")],
        ),
        listens_before_the_save=(
            "notified-before-save", [("post_save.connect", "pre_save.connect")],
        ),
        swaps_the_signals=(
            "reply-differs", [("post_save.connect(post_saved", "post_save.connect(post_deleted")],
        ),
        new_posts_alone=(
            "no-reply",
            [("    tell_after_commit({\"saved\"",
              "    if kwargs[\"created\"]:\n        tell_after_commit({\"saved\"")],
        ),
        forgets_async_to_sync=(
            "never-awaited",
            [(TELL, '    get_channel_layer().group_send("ticker", message)\n')],
        ),
        gives_a_coroutine_function=(
            "never-awaited",
            [("def tell(", "async def tell("),
             (TELL, '    await get_channel_layer().group_send("ticker", message)\n')],
        ),
        an_async_receiver=(
            "orm-in-async",
            [("def post_saved", "async def post_saved")],
        ),
        async_to_sync_in_the_consumer=(
            "async-to-sync-in-loop",
            [("await self.channel_layer.group_add", "async_to_sync(self.channel_layer.group_add)")],
        ),
        another_group=("no-reply", [('group_send)("ticker"', 'group_send)("tickers"')]),
        sends_instead_of_group_send=("no-reply", [("().group_send)", "().send)")]),
        no_handler_of_that_name=("no-layer-handler", [("async def ticker_news", "async def news")]),
        forgets_the_json=(
            "payload-not-text", [('json.dumps(event["news"])', 'event["news"]')],
        ),
        never_leaves=("group-leak", [('group_discard("ticker"', 'group_discard("tickers"')]),
        leaves_on_disconnect_alone=(
            "group-leak-after-a-crash",
            [("        try:\n            await super().__call__(scope, receive, send)\n"
              "        finally:\n            await self.channel_layer.group_discard(\"ticker\", "
              "self.channel_name)\n", "        await super().__call__(scope, receive, send)\n"),
             ("        raise Stop", '        await self.channel_layer.group_discard("ticker", '
              "self.channel_name)\n        raise Stop")],
        ),
        sends_the_id_alone=("reply-differs", [(', "title": instance.title', "")]),
    ),
)  # fmt: skip
def test_a_wrong_ticker_gets_its_diagnosis(diagnosis, changes):
    assert judged(*changes).diagnosis_ids[:1] == [diagnosis]
