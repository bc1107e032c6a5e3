"""Submissions for lesson 19: each right desk is green, each wrong one gets its diagnosis."""

import pytest

from lessons.core.catalogue import find
from tests.support.submissions import Submissions, named

MORE = """\
import asyncio
from channels.auth import UserLazyObject
from channels.db import database_sync_to_async
from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.signals import user_logged_out

"""
RIGHT = find("logout").solution.read_text().replace("import json\n", "import json\n" + MORE, 1)
SUBMISSIONS = Submissions("logout", "", RIGHT)


def part(begin, end):
    return RIGHT[RIGHT.index(begin) : RIGHT.index(end)]


SIGNALS = part("@receiver(post_delete", "def credentials_in")
LOOK = part(
    "        # A new store", "        if not user.is_authenticated:\n            await self.s"
)
OVER = part('        await self.send({"type": "websocket.close"', "    async def user_changed")
ADD = "await self.channel_layer.group_add(group, self.channel_name)"
LOOKS_AGAIN = "            await self.user_changed({})\n"
GROUPS = "(session, group_of_user(user))"
ACCEPT = '        await self.send({"type": "websocket.accept"})\n'
CALL = part("        try:\n            await super()", "    async def websocket_connect")
LEAVE = "await self.channel_layer.group_discard(group, self.channel_name)"
JOIN = part("            self.groups =", "            # The login").partition("\n")[2]
HIDDEN = "salted_hmac('desk', key, algorithm='sha256').hexdigest()[:16]"
SAVE = 'await self.scope["session"].asave()'
TELL = 'transaction.on_commit(lambda: send(group, {"type": kind}), robust=True)'


@pytest.mark.parametrize(
    "changes",
    named(
        one_group_and_each_looks=(
            [
                (
                    'tell(group_of_session(instance.session_key), "session.over")',
                    "pk = instance.get_decoded().get(SESSION_KEY)\n"
                    "    tell(f'user-{pk}', 'user.changed')",
                ),
                (GROUPS, "(group_of_user(user),)"),
            ],
        ),
        stays_silent_instead_of_stopping=(
            [
                (OVER, OVER.partition("        raise")[0] + "        self.over = True\n\n"),
                ("groups = ()", "over = False\n    groups = ()"),
                (
                    '        text = event.get("text") or ""\n',
                    "        if self.over:\n            return\n"
                    '        text = event.get("text") or ""\n',
                ),
                (
                    'name = self.scope["user"].get_username() or "nobody"\n',
                    'name = self.scope["user"].get_username() or "nobody"\n'
                    "        if self.over:\n            return\n",
                ),
                (
                    "await self.session_over(event)\n        self.scope",
                    "await self.session_over(event)\n            return\n        self.scope",
                ),
            ],
        ),
        joins_before_it_accepts=(
            [
                (
                    f"{ACCEPT}        await self.join()",
                    '        user = self.scope["user"]\n'
                    "        if user.is_authenticated:\n"
                    '            key = self.scope["session"].session_key\n'
                    "            self.groups = (group_of_user(user), group_of_session(key))\n"
                    "            await asyncio.gather(*(self.channel_layer.group_add("
                    "it, self.channel_name) for it in self.groups))\n"
                    f"{ACCEPT}"
                    "        if user.is_authenticated:\n"
                    "            await self.user_changed({})",
                ),
            ],
        ),
        all_at_once=(
            [
                (
                    JOIN,
                    "            await asyncio.gather(*(self.channel_layer.group_add(group, "
                    "self.channel_name) for group in self.groups))\n",
                )
            ],
        ),
        flushes_the_session_itself=(
            [
                (
                    "await logout(self.scope)",
                    'await self.scope["session"].aflush()\n'
                    '            self.scope["user"] = AnonymousUser()',
                )
            ],
        ),
        sync_in_threads=(
            [
                (SAVE, 'await database_sync_to_async(self.scope["session"].save)()'),
                ("aauthenticate(**", "database_sync_to_async(authenticate)(**"),
            ],
        ),
        match=(
            [
                (
                    part('        if text == "logout"', "        name = self.scope"),
                    "        match text, credentials:\n"
                    '            case "logout", _:\n                await logout(self.scope)\n'
                    '            case _, {} if not self.scope["user"].is_authenticated:\n'
                    "                await self.log_in(credentials)\n",
                )
            ],
        ),
        connects_when_ready=(
            [
                (
                    SIGNALS,
                    SIGNALS.replace("@receiver(post_delete, sender=Session)\n", "").replace(
                        "@receiver(post_save, sender=get_user_model())\n", ""
                    )
                    + "def ready():\n"
                    "    post_delete.connect(tell_of_the_end, Session, dispatch_uid='end')\n"
                    "    post_save.connect(tell_of_the_change, User, dispatch_uid='change')\n\n\n",
                ),
            ],
        ),
        asks_the_session_table=(
            [
                (
                    LOOK,
                    '        key = self.scope["session"].session_key\n'
                    "        there = await Session.objects.filter(pk=key).aexists()\n"
                    "        user = await get_user(self.scope) if there else AnonymousUser()\n",
                )
            ],
        ),
        clears_the_user_too=(
            [
                (
                    "        raise StopConsumer()  # what",
                    "        self.scope['user'] = AnonymousUser()\n"
                    "        raise StopConsumer()  # what",
                )
            ],
        ),
        sends_a_name_before_the_end=(
            [
                (
                    "await logout(self.scope)  # deletes the session, hence session_over",
                    "await logout(self.scope)\n"
                    "            await self.send({'type': 'websocket.send', 'text': 'nobody'})\n"
                    "            return",
                )
            ],
        ),
    ),
)
def test_a_right_desk_is_green(changes):
    verdict = SUBMISSIONS.changed(*changes)
    assert verdict.green, verdict.diagnosis_ids


@pytest.mark.parametrize(
    "changes, diagnosis",
    named(
        joins_nothing=([(ADD, "pass")], "stale-user"),
        joins_the_users_group=([(GROUPS, "(group_of_user(user),)")], "stale-user"),
        joins_the_sessions_group=([(GROUPS, "(session,)")], "deactivated-stays"),
        does_not_look_again=([(LOOKS_AGAIN, "")], "logout-during-handshake"),
        looks_first=(
            [
                (LOOKS_AGAIN, ""),
                (JOIN, LOOKS_AGAIN + JOIN),
            ],
            "logout-during-handshake",
        ),
        looks_at_the_old_session=(
            [(LOOK, "        user = await get_user(self.scope)\n")],
            "logout-during-handshake",
        ),
        does_not_save=([(SAVE, "pass")], "joined-before-saved"),
        saves_without_await=([(SAVE, SAVE.removeprefix("await "))], "never-awaited"),
        saves_in_the_loop=([(SAVE, 'self.scope["session"].save()')], "orm-in-async"),
        does_not_join_after_a_login=(
            [("nobody else does\n            await self.join()\n", "nobody else does\n")],
            "login-not-joined",
        ),
        takes_any_password=(
            [
                (
                    "aauthenticate(**credentials)",
                    "User.objects.filter(username=credentials['username']).afirst()",
                )
            ],
            "wrong-name",
        ),
        forgets_to_log_in=(
            [("await login(self.scope, user)", "self.scope['user'] = user")],
            "joined-before-saved",
        ),
        forgets_to_log_out=(
            [("await logout(self.scope)", "self.scope['user'] = AnonymousUser()")],
            "session-not-saved",
        ),
        closes_with_another_code=([('"code": 4401', '"code": 4403')], "wrong-close-code"),
        closes_and_goes_on=(
            [
                (
                    "        raise StopConsumer()  # what the client has sent meanwhile "
                    "is not answered\n",
                    "",
                )
            ],
            "send-after-close",
        ),
        stops_and_stays_open=(
            [('        await self.send({"type": "websocket.close", "code": 4401})\n', "")],
            "zombie",
        ),
        closes_at_each_save=(
            [
                (
                    "if not user.is_authenticated:\n            await self.s",
                    "if True:\n            await self.s",
                )
            ],
            "closed-early",
        ),
        closes_at_each_message=([('"user.changed")', '"session.over")')], "closed-without-reason"),
        looks_at_is_active_alone=(
            [
                (
                    LOOK,
                    "        user = await User.objects.aget(pk=self.scope['user'].pk)\n"
                    "        key = self.scope['session'].session_key\n"
                    "        if not await Session.objects.filter(pk=key).aexists() or not "
                    "user.is_active:\n            await self.session_over(event)\n",
                )
            ],
            "password-change-missed",
        ),
        keeps_the_user=([('        self.scope["user"] = user\n', "")], "wrong-name"),
        sends_at_once=([(TELL, "send(group, {'type': kind})")], "notified-before-commit"),
        calls_in_on_commit=(
            [(TELL, "transaction.on_commit(send(group, {'type': kind}))")],
            "on-commit-called",
        ),
        names_the_group_after_the_key=(
            [(HIDDEN, "key")],
            "secret-logged",
        ),
        hides_the_key_in_hex=(
            [(HIDDEN, "key.encode().hex()")],
            "secret-logged",
        ),
        one_group_for_all_sessions=(
            [(HIDDEN, "'over'")],
            "other-sessions-closed",
        ),
        never_leaves=(
            [(LEAVE, "pass")],
            "group-leak",
        ),
        leaves_on_disconnect=(
            [
                (CALL, "        await super().__call__(scope, receive, send)\n\n"),
                (
                    "    async def websocket_disconnect(self, event):\n",
                    "    async def websocket_disconnect(self, event):\n"
                    f"        for group in self.groups:\n            {LEAVE}\n",
                ),
            ],
            "group-leak",
        ),
        listens_to_logouts=(
            [
                (
                    "@receiver(post_delete, sender=Session)\ndef tell_of_the_end(sender, instance,",
                    "@receiver(user_logged_out)\ndef tell_of_the_end(sender, request,",
                ),
                ("instance.session_key", "request.session.session_key"),
            ],
            "no-request",
        ),
        listens_to_new_users=(
            [
                (
                    '    tell(group_of_user(instance), "user.changed")',
                    "    if kwargs['created']:\n"
                    '        tell(group_of_user(instance), "user.changed")',
                )
            ],
            "deactivated-stays",
        ),
        receiver_is_garbage_collected=(
            [
                (
                    SIGNALS,
                    SIGNALS.replace("@receiver(post_delete, sender=Session)\n", "")
                    + "def ready():\n"
                    "    def end(sender, instance, **kwargs):\n"
                    "        tell(group_of_session(instance.session_key), 'session.over')\n"
                    "    post_delete.connect(end, Session)\n\n\n",
                )
            ],
            "receiver-gone",
        ),
    ),
)
def test_a_wrong_desk_gets_its_diagnosis(changes, diagnosis):
    assert SUBMISSIONS.changed(*changes).diagnosis_ids[:1] == [diagnosis]
