"""Submissions for lesson 23: each right den is green, each wrong one gets its diagnosis."""

import pytest

from lessons.core.catalogue import find
from tests.support.submissions import Submissions, named

RIGHT = find("chat").solution.read_text(encoding="utf-8")
IMPORTS = "from db_demo.models import Membership\n"
ROWS = """\
        rows = Membership.objects.filter(room__name=self.name, user_id=user_id)
        return rows.filter(user__is_active=True).exists()
"""
IS_MEMBER = (
    "    @database_sync_to_async\n    def is_member(self):\n"
    + RIGHT[RIGHT.index("        user_id = self.scope") : RIGHT.index("    async def may_stay")]
)
MAY_STAY = RIGHT[
    RIGHT.index("        if self.group is not None and not") : RIGHT.index(
        "    async def websocket_receive"
    )
]
LEAVE = "            await self.leave()\n"
CLOSE = '            await self.send({"type": "websocket.close", "code": 4403})\n'
SEND = '            await self.send({"type": "websocket.send", "text": event["text"]})\n'
WRITES = "if text and await self.may_stay():"
READS = "        if await self.may_stay():\n"

submissions = Submissions("chat", "", RIGHT)


def is_member(body):
    """The question to the database, asked in another way."""
    return (IS_MEMBER, f"{body}\n")


@pytest.mark.parametrize(
    "changes",
    named(
        unchanged=([],),
        asks_the_async_way=(
            [
                is_member(
                    "    async def is_member(self):\n"
                    "        rows = Membership.objects.filter(room__name=self.name)\n"
                    "        user_id = self.scope['user'].pk\n"
                    "        return await rows.filter(user_id=user_id, user__is_active=True)"
                    ".aexists()\n"
                )
            ],
        ),
        asks_the_room=(
            [
                (IMPORTS, "from db_demo.models import Room\n"),
                (
                    ROWS,
                    "        rooms = Room.objects.filter(name=self.name)\n"
                    "        of_user = {'members': user_id, 'members__is_active': True}\n"
                    "        return user_id is not None and rooms.filter(**of_user).exists()\n",
                ),
            ],
        ),
        reads_the_user_again=(
            [
                (IMPORTS, IMPORTS + "from django.contrib.auth.models import User\n"),
                (
                    ROWS,
                    "        user = User.objects.filter(pk=user_id).first()\n"
                    "        if user is None or not user.is_active:\n"
                    "            return False\n"
                    "        return user.rooms.filter(name=self.name).exists()\n",
                ),
            ],
        ),
        closes_then_leaves=([(LEAVE + CLOSE, CLOSE + LEAVE)],),
        closes_again_and_again=([("self.group is not None and not", "not")],),
        asks_at_any_frame=(
            [
                (
                    WRITES,
                    "if await self.may_stay() and text:",
                )
            ],
        ),
        learns_it_from_an_exception=(
            [
                (
                    MAY_STAY,
                    "        try:\n"
                    "            await self.require()\n"
                    "        except PermissionError:\n"
                    "            if self.group is not None:\n"
                    "                await self.leave()\n"
                    '                await self.send({"type": "websocket.close", "code": 4403})\n'
                    "            return False\n"
                    "        return True\n\n"
                    "    async def require(self):\n"
                    "        if self.group is None or not await self.is_member():\n"
                    "            raise PermissionError\n\n",
                )
            ],
        ),
    ),
)
def test_a_right_version_is_green(changes):
    assert submissions.changed(*changes).diagnosis_ids == []


@pytest.mark.parametrize(
    "changes, diagnosis",
    named(
        asks_without_await=(
            [("not await self.is_member()", "not self.is_member()")],
            "never-awaited",
        ),
        asks_may_stay_without_await=([(READS, READS.replace("await ", ""))], "never-awaited"),
        asks_async_code_in_a_thread=([("    def is_m", "    async def is_m")], "import-error"),
        closes_without_a_code=([(CLOSE, CLOSE.replace(', "code": 4403', ""))], "wrong-close-code"),
        says_why_after_the_close=(
            [
                (
                    CLOSE,
                    CLOSE
                    + '            await self.send({"type": "websocket.send", "text": "no"})\n',
                )
            ],
            "send-after-close",
        ),
        says_why_before_the_close=(
            [
                (
                    CLOSE,
                    '            await self.send({"type": "websocket.send", "text": "no"})\n'
                    + CLOSE,
                )
            ],
            "reply-differs",
        ),
        leaves_and_does_not_close=([(LEAVE + CLOSE, LEAVE)], "removed-member-not-closed"),
        closes_and_stays_in=([(LEAVE + CLOSE, CLOSE)], "send-after-close"),
        stops_instead_of_closing=([(CLOSE, "            raise StopConsumer()\n")], "zombie"),
        remembers_the_answer_in_the_class=(
            [
                ("    group = None\n", "    group = None\n    known = {}\n"),
                (
                    "not await self.is_member():",
                    "not self.known.setdefault(self.name, await self.is_member()):",
                ),
            ],
            "removed-member-still-sends",
        ),
        forgets_the_room=([("room__name=self.name, ", "")], "member-elsewhere"),
        asks_for_the_user_it_was=(
            [("rows.filter(user__is_active=True)", "self.scope['user'].is_active and rows")],
            "inactive-stays",
        ),
        closes_all_members=(
            [
                (
                    LEAVE + CLOSE,
                    '            await self.channel_layer.group_send(f"den-{self.name}", '
                    '{"type": "den.close"})\n' + LEAVE + CLOSE,
                ),
                (
                    "    async def leave(self)",
                    "    async def den_close(self, event):\n"
                    + CLOSE[4:]
                    + "\n    async def leave(self)",
                ),
            ],
            "other-members-closed",
        ),
        refuses_at_the_handshake=(
            [
                (
                    '        await self.send({"type": "websocket.accept"})\n'
                    "        if self.group is None:\n" + CLOSE,
                    "        if self.group is None:\n"
                    '            await self.send({"type": "websocket.close"})\n'
                    "            return\n"
                    '        await self.send({"type": "websocket.accept"})\n',
                )
            ],
            "refused-without-reason",
        ),
    ),
)
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert [diagnosis] == submissions.changed(*changes).diagnosis_ids[:1]
