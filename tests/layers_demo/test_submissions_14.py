"""Submissions for lesson 14: each right hotline is green, each wrong one gets its diagnosis."""

import pytest

from lessons.core.catalogue import find
from tests.support.submissions import Submissions, named

LESSON = find("redis")
RIGHT = LESSON.solution.read_text(encoding="utf-8")
submissions = Submissions("redis", "", RIGHT)

CALL = RIGHT[RIGHT.index("    async def __call__") : RIGHT.index("    async def websocket_connect")]
CONNECT = RIGHT[
    RIGHT.index("    async def websocket_connect") : RIGHT.index("    async def websocket_rec")
]
RECEIVE = RIGHT[
    RIGHT.index("    async def websocket_receive") : RIGHT.index("    async def hotline")
]
JOIN = '        await self.channel_layer.group_add("hotline", self.channel_name)\n'
SEND = '            await self.channel_layer.group_send("hotline", message)\n'
ALIAS = '    channel_layer_alias = "encrypted"\n'
ACCEPT = '        await self.send({"type": "websocket.accept"})\n        self.accepted = True\n'
GUARD = "            if not self.accepted:\n    "
NOT_SENT = '            await self.send({"type": "websocket.send", "text": "not sent"})\n'
CLOSE = '            await send({"type": "websocket.close", "code": 4013})\n'
LOG = "            raise  # the log is to say what it was\n"
LEAVE = "            raise  # who stayed would be in a group that Redis has forgotten\n"
SHOW = '            await send({"type": "websocket.accept"})\n'
STOP = "        raise StopConsumer()\n"
EXCEPT = CALL[CALL.index("        except") : CALL.index("        finally")]
FINALLY = CALL[CALL.index("        finally") :]
BY_NAME = (
    "from channels.exceptions",
    "from channels.layers import get_channel_layer\nfrom channels.exceptions",
)
TO_EACH = """\
            for one in EVERYBODY:
                await one.hotline_said(message)
"""
TO_ALL = """\
            await self.channel_layer.group_send("hotline", {**message, "text": "not sent"})
"""
FOR_EVER = """\
            while True:
                try:
                    await self.channel_layer.group_send("hotline", message)
                    break
                except Exception:
                    await asyncio.sleep(1)
"""
REFUSING = """\
        try:
            await self.channel_layer.group_add("hotline", self.channel_name)
        except Exception:
            await self.send({"type": "websocket.close"})
            return
"""
LEAVES = """\
        try:
            await self.channel_layer.group_discard("hotline", self.channel_name)
        finally:
            raise StopConsumer()
"""
REFUSE = """\
            if not self.accepted:
                await send({"type": "websocket.close"})
                raise
"""


IN_FINALLY = """\
    async def __call__(self, scope, receive, send):
        over = False
        try:
            await super().__call__(scope, receive, send)
            over = True
        finally:
            if not over and not self.accepted:
                await send({"type": "websocket.accept"})
            if not over:
                await send({"type": "websocket.close", "code": 4013})
            with suppress(Exception):
                await self.channel_layer.group_discard("hotline", self.channel_name)

"""

BY_REDIS_NAME = """\
        except redis.exceptions.RedisError as error:
            await self.send({"type": "websocket.send", "text": "not sent"})
            raise error
"""

CLOSES_IN_HANDLERS = """\
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.accepted = True
        try:
            await self.channel_layer.group_add("hotline", self.channel_name)
        except Exception:
            await self.send({"type": "websocket.close", "code": 4013})

"""

SEPARATE_LISTENER = """\
    async def dispatch(self, message):
        try:
            await super().dispatch(message)
        except StopConsumer:
            raise
        except Exception:
            await self.give_up()
            raise StopConsumer()

    async def give_up(self):
        if not self.accepted:
            await self.send({"type": "websocket.accept"})
            self.accepted = True
        await self.send({"type": "websocket.close", "code": 4013})

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        except Exception:
            await self.give_up()
        finally:
            with suppress(Exception):
                await self.channel_layer.group_discard("hotline", self.channel_name)

"""


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        keeps_the_error_to_itself=([(LOG, "")],),
        logs_it=(
            [
                (LOG, "            logging.getLogger(__name__).exception('gone')\n"),
                ("from channels.consumer", "import logging\n\nfrom channels.consumer"),
            ],
        ),
        in_a_finally=([(CALL, IN_FINALLY)],),
        catches_all_that_redis_raises=(
            [
                ("from channels.consumer", "import redis.exceptions\nfrom channels.consumer"),
                (RECEIVE[RECEIVE.index("        except") :].rstrip("\n") + "\n", BY_REDIS_NAME),
            ],
        ),
        accepts_first_and_joins_then=([(CONNECT, CLOSES_IN_HANDLERS)],),
        closes_in_the_handler=(
            [(NOT_SENT + LEAVE, NOT_SENT + CLOSE.replace("send(", "self.send(", 1))],
        ),
        closes_in_dispatch=([(CALL, SEPARATE_LISTENER)],),
        asks_for_the_layer_by_name=(
            [
                ("self.channel_layer.group_send(", 'get_channel_layer("encrypted").group_send('),
                BY_NAME,
            ],
        ),
        joins_again_with_each_text=([(SEND, "    " + JOIN + SEND)],),
        accepted_in_init=(
            [
                (
                    "    accepted = False\n",
                    "\n    def __init__(self):\n        self.accepted = False\n",
                )
            ],
        ),
        leaves_when_the_client_does=([(FINALLY, "\n"), (STOP, LEAVES)],),
    ),
)
def test_a_right_version_is_green(changes):
    assert submissions.changed(*changes).findings == []


@pytest.mark.parametrize(
    ("changes", "diagnosis"),
    named(
        on_the_default_layer=([(ALIAS, "")], "wrong-layer"),
        on_the_pubsub_layer=([("encrypted", "pubsub")], "wrong-layer"),
        joins_another_layer=(
            [
                ("self.channel_layer.group_add(", "get_channel_layer().group_add("),
                BY_NAME,
            ],
            "wrong-layer",
        ),
        misspells_the_layer=(
            [("encrypted", "encrypt"), (CALL, ""), (RECEIVE, "")],
            "unknown-layer",
        ),
        remembers_clients_in_a_global=(
            [
                (SEND, TO_EACH),
                (ACCEPT, ACCEPT + "        EVERYBODY.append(self)\n"),
                (STOP, "        EVERYBODY.remove(self)\n" + STOP),
                ("class Hotline", "EVERYBODY = []\n\n\nclass Hotline"),
            ],
            "state-kept-in-process",
        ),
        answers_its_own_client_alone=(
            [(SEND, "            await self.hotline_said(message)\n")],
            "no-reply",
        ),
        sends_to_its_own_channel=(
            [('group_send("hotline",', "send(self.channel_name,")],
            "no-reply",
        ),
        no_except=([(EXCEPT, "")], "redis-down"),
        catches_pythons_connection_error=(
            [("except Exception", "except ConnectionError")],
            "redis-down",
        ),
        catches_os_errors=([("except Exception", "except OSError")], "redis-down"),
        catches_time_outs=([("except Exception", "except TimeoutError")], "redis-down"),
        passes_in_call=([(CLOSE + LOG, "            pass\n")], "zombie"),
        raises_stop_consumer=([(CLOSE + LOG, "            raise StopConsumer()\n")], "exception"),
        closes_with_1011=([("4013", "1011")], "forbidden-close-code"),
        closes_with_another=([("4013", "4000")], "wrong-close-code"),
        closes_without_a_code=([(', "code": 4013', "")], "wrong-close-code"),
        does_not_accept=([(GUARD + SHOW, "")], "code-before-accept"),
        always_accepts=(
            [("            if not self.accepted:\n", "            if True:\n")],
            "accept-twice",
        ),
        refuses=(
            [(GUARD + SHOW, REFUSE)],
            "outage-refused",
        ),
        refuses_in_the_handler=(
            [(JOIN, REFUSING)],
            "answered-after-refusal",
        ),
        says_not_sent_and_stays=([(LEAVE, "")], "stays-in-lost-group"),
        says_nothing_and_stays=(
            [(NOT_SENT + LEAVE, "            pass\n")],
            "lost-text-not-reported",
        ),
        closes_before_it_reports=([(NOT_SENT, "")], "lost-text-not-reported"),
        reports_to_all=(
            [(NOT_SENT, TO_ALL)],
            "lost-text-not-reported",
        ),
        reports_in_other_words=([('"not sent"', '"lost"')], "lost-text-not-reported"),
        reports_it_as_sent=(
            [(NOT_SENT, NOT_SENT + "            await self.hotline_said(message)\n")],
            "reply-differs",
        ),
        tries_for_ever=(
            [
                (SEND, FOR_EVER),
                ("from channels.consumer", "import asyncio\n\nfrom channels.consumer"),
            ],
            "waits-for-redis",
        ),
        notes_the_outage=(
            [(CLOSE, CLOSE + "            type(self).channel_layer_alias = 'default'\n")],
            "wrong-layer",
        ),
        stays_down=(
            [
                (CLOSE, CLOSE + "            type(self).down = True\n"),
                (SEND, "            if hasattr(self, 'down'):\n                return\n" + SEND),
            ],
            "stays-down",
        ),
        accepted_for_all=(
            [("self.accepted = True", "type(self).accepted = True")],
            "code-before-accept",
        ),
        stays_in_the_group=([(FINALLY, "\n")], "group-leak"),
    ),
)
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert [diagnosis] == submissions.changed(*changes).diagnosis_ids[:1]
