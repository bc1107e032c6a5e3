"""Submissions for lesson 10: each right lobby is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

HEAD = """\
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.consumer import AsyncConsumer, get_handler_name
from channels.db import aclose_old_connections, database_sync_to_async
from channels.exceptions import StopConsumer
from django.contrib.auth.models import User
from django.db import close_old_connections


class Lobby(AsyncConsumer):
    lean = {"websocket.connect", "websocket.receive", "websocket.disconnect"}

"""
TAIL = """
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": "pong"})

    async def accounts_changed(self, event):
        count = await User.objects.acount()
        await self.send({"type": "websocket.send", "text": f"{count} accounts"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""
USUAL = """\
    async def dispatch(self, message):
        if message["type"] in self.lean:
            await getattr(self, get_handler_name(message))(message)
        else:
            await super().dispatch(message)
"""
BY_HAND = """\
    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError("No handler for message type %s" % message["type"])
        if message["type"] not in self.lean:
            await aclose_old_connections()
        await handler(message)
"""
MATCH = """\
    async def dispatch(self, message):
        match message:
            case {"type": "websocket.connect"}:
                await self.websocket_connect(message)
            case {"type": "websocket.receive"}:
                await self.websocket_receive(message)
            case {"type": "websocket.disconnect"}:
                await self.websocket_disconnect(message)
            case _:
                await super().dispatch(message)
"""
TABLE = """\
    async def dispatch(self, message):
        handlers = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self.websocket_disconnect,
        }
        await handlers.get(message.get("type"), super().dispatch)(message)
"""
BY_PREFIX = """\
    async def dispatch(self, message):
        name = get_handler_name(message)
        if name.startswith("websocket_"):
            return await getattr(self, name)(message)
        return await super().dispatch(message)
"""
LEAN_FOR_ALL = """\
    async def dispatch(self, message):
        handler = getattr(self, get_handler_name(message), None)
        if not handler:
            raise ValueError(message)
        await handler(message)
"""
COUNT = "await User.objects.acount()"
FIRST = '            "websocket.connect": self.websocket_connect,\n'

submissions = Submissions("cost", "", HEAD + USUAL + TAIL)


def judged(dispatch=USUAL, old="", new=""):
    source = HEAD + dispatch + TAIL
    assert old in source
    return submissions.verdict(source=source.replace(old, new))


@pytest.mark.parametrize("dispatch", named(usual=USUAL, by_hand=BY_HAND, match=MATCH, table=TABLE))
def test_a_dispatch_that_spares_three_is_green(dispatch):
    assert judged(dispatch).findings == []


def test_the_list_may_hold_prefixes_of_event_types():
    assert judged(BY_PREFIX).findings == []


@pytest.mark.parametrize(
    "new",
    named(
        asks_by_database_sync_to_async="await database_sync_to_async(User.objects.count)()",
        asks_in_a_thread_of_the_pool=(
            "await database_sync_to_async(User.objects.count, thread_sensitive=False)()"
        ),
        looks_after_them_in_the_handler=(
            "[await aclose_old_connections(), await User.objects.acount()][1]"
        ),
        looks_after_them_by_djangos_own=(
            "[await sync_to_async(close_old_connections)(), await User.objects.acount()][1]"
        ),
    ),
)
def test_lean_for_all_is_right_if_the_handler_closes_old_connections(new):
    assert judged(LEAN_FOR_ALL, COUNT, new).findings == []


def test_a_mixin_may_hold_the_dispatch():
    source = HEAD.replace("class Lobby(AsyncConsumer)", "class LeanConsumer(AsyncConsumer)")
    source += USUAL + "\n\nclass Lobby(LeanConsumer):\n" + TAIL
    assert submissions.verdict(source=source).findings == []


def test_its_own_thread_is_allowed():
    own = """
    async def __call__(self, scope, receive, send):
        async with ThreadSensitiveContext():
            await super().__call__(scope, receive, send)
"""
    assert judged(USUAL + own).findings == []


@pytest.mark.parametrize(
    ("diagnosis", "dispatch", "old", "new"),
    named(
        spares_no_event=("needless-thread-hop", "", "", ""),
        lists_no_event=("needless-thread-hop", USUAL, "in self.lean", "in ()"),
        lists_the_wrong_one=(
            "needless-thread-hop",
            USUAL,
            '"websocket.connect"',
            '"accounts.changed"',
        ),
        lists_all=(
            "lean-dispatch-database",
            USUAL,
            '"websocket.connect"',
            '"websocket.connect", "accounts.changed"',
        ),
        forgets_connect=("needless-thread-hop", TABLE, FIRST, ""),
        forgets_disconnect=("needless-thread-hop", USUAL, ', "websocket.disconnect"', ""),
        misspells_a_type=("needless-thread-hop", USUAL, "websocket.receive", "websocket.recieve"),
        spares_the_layers_events=(
            "needless-thread-hop",
            USUAL,
            "in self.lean",
            '== "accounts.changed"',
        ),
        spares_all=("lean-dispatch-database", LEAN_FOR_ALL, "", ""),
        queries_through_sync_to_async=(
            "lean-dispatch-database",
            LEAN_FOR_ALL,
            COUNT,
            "await sync_to_async(User.objects.count)()",
        ),
        asks_on_the_loop=("orm-in-async", LEAN_FOR_ALL, COUNT, "User.objects.count()"),
        calls_close_on_the_loop=(
            "lean-dispatch-database",
            BY_HAND,
            "await aclose_old_connections()",
            "close_old_connections()",
        ),
        looks_after_another_thread=(
            "lean-dispatch-database",
            BY_HAND,
            "await aclose_old_connections()",
            "await sync_to_async(close_old_connections, thread_sensitive=False)()",
        ),
        does_not_await_the_hop=(
            "never-awaited",
            BY_HAND,
            "await aclose_old_connections()",
            "aclose_old_connections()",
        ),
        does_not_await_the_handler=("never-awaited", BY_HAND, "await handler", "handler"),
        does_not_await_super=("never-awaited", USUAL, "await super()", "super()"),
        calls_itself=("recursion", USUAL, "super().dispatch", "self.dispatch"),
        is_not_a_coroutine=(
            "def-handler-in-async-consumer",
            "    def dispatch(self, message):\n        return None\n",
            "",
            "",
        ),
        checks_no_name=(
            "any-method",
            BY_HAND,
            "get_handler_name(message)",
            'message["type"].replace(".", "_")',
        ),
        passes_the_unknown_over=(
            "missing-handler-ignored",
            BY_HAND,
            'raise ValueError("No handler for message type %s" % message["type"])',
            "return",
        ),
        swallows_what_is_refused=(
            "missing-handler-ignored",
            USUAL,
            "            await super().dispatch(message)\n",
            "            try:\n                await super().dispatch(message)\n"
            "            except ValueError:\n                pass\n",
        ),
        drops_the_rest=("no-reply", USUAL, "await super().dispatch(message)", "pass"),
        makes_an_attribute_error_of_it=(
            "exception",
            BY_HAND,
            "_name(message), None)",
            "_name(message))",
        ),
        remembers=(
            "reply-differs",
            USUAL,
            f"count = {COUNT}",
            f'count = self.__dict__.setdefault("known", {COUNT})',
        ),
    ),
)
def test_a_wrong_change_gets_its_diagnosis(diagnosis, dispatch, old, new):
    assert judged(dispatch, old, new).diagnosis_ids[:1] == [diagnosis]
