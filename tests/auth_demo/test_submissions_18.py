"""Submissions for lesson 18: each right door is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
import base64, json, logging, secrets, time
from datetime import timedelta
from functools import lru_cache
from urllib.parse import parse_qs

from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import DenyConnection, StopConsumer
from channels.middleware import BaseMiddleware
from channels.security.websocket import WebsocketDenier
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, User
from django.core import signing
from django.core.cache import cache

SALT = "stage door"
SECONDS = 30
logger = logging.getLogger(__name__)


def issue(user):
    number = secrets.token_urlsafe(16)
    cache.set(f"ticket-{number}", True, SECONDS)
    return signing.dumps([user.pk, number], salt=SALT)


def ticket_in(scope):
    header = dict(scope["headers"]).get(b"authorization", b"").decode("latin1")
    scheme, _, ticket = header.partition(" ")
    return ticket.strip() if scheme == "Ticket" else ""


class TicketMiddleware:
    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        user = await self.holder_of(ticket_in(scope))
        if user is None:
            await send({"type": "websocket.close"})
            return
        await self.inner({**scope, "user": user}, receive, send)

    async def holder_of(self, ticket):
        try:
            user_id, number = signing.loads(ticket, salt=SALT, max_age=SECONDS)
        except signing.BadSignature:
            return None
        if not await cache.adelete(f"ticket-{number}"):
            return None
        return await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()


class StageDoor(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        text = f"Welcome, {self.scope['user'].get_username()}."
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


application = TicketMiddleware(StageDoor.as_asgi())
"""
SUBMISSIONS = Submissions("ticket", "", RIGHT)

ISSUE = RIGHT[RIGHT.index("    number = secrets") : RIGHT.index("def ticket_in")]
CALL = RIGHT[RIGHT.index("        user = await self") : RIGHT.index("    async def holder_of")]
HOLDER = RIGHT[RIGHT.index("        try:\n") : RIGHT.index("class StageDoor")]
CLAIM = 'await cache.adelete(f"ticket-{number}")'
LOADS = "signing.loads(ticket, salt=SALT, max_age=SECONDS)"
USER = "await get_user_model().objects.filter(pk=user_id, is_active=True).afirst()"
CLOSE = 'await send({"type": "websocket.close"})'
HAND_ON = 'await self.inner({**scope, "user": user}, receive, send)'
SIGNED = f"user_id, number = {LOADS}"


def body(text):
    """A method's body, given without its indentation."""
    return "".join(f"        {line}\n" if line else "\n" for line in text.splitlines()) + "\n\n"


@pytest.mark.parametrize(
    "changes",
    named(
        remembers_the_used=([(CLAIM, 'await cache.aadd(f"used-{number}", True, SECONDS)')],),
        takes_by_touching=([(CLAIM, 'await cache.atouch(f"ticket-{number}", 0)')],),
        counts_the_uses=(
            [
                (
                    f"if not {CLAIM}:",
                    'await cache.aadd(f"uses-{number}", 0, 2 * SECONDS)\n'
                    '        if await cache.aincr(f"uses-{number}") > 1:',
                )
            ],
        ),
        match=(
            [
                (
                    HOLDER,
                    body(
                        f"try:\n    opened = {LOADS}\n"
                        "except signing.SignatureExpired:\n    return None\n"
                        "except signing.BadSignature:\n    return None\n"
                        "match opened:\n"
                        f"    case [user_id, number] if {CLAIM}:\n"
                        f"        return {USER}"
                    ),
                )
            ],
        ),
        base_middleware=(
            [
                ("class TicketMiddleware:", "class TicketMiddleware(BaseMiddleware):"),
                ("    def __init__(self, inner):\n        self.inner = inner\n\n", ""),
                (HAND_ON, "await super().__call__(dict(scope, user=user), receive, send)"),
            ],
        ),
        all_in_a_thread=(
            [
                ("    async def holder_of", "    @database_sync_to_async\n    def holder_of"),
                (CLAIM, 'cache.delete(f"ticket-{number}")'),
                (USER, "User.objects.filter(pk=user_id, is_active=True).first()"),
            ],
        ),
        django_s_own_denier=([(CLOSE, "await WebsocketDenier()(scope, receive, send)")],),
        accepts_and_says_why=(
            [
                (
                    CLOSE,
                    "await receive()\n"
                    '            await send({"type": "websocket.accept"})\n'
                    '            await send({"type": "websocket.close", "code": 4401})\n'
                    "            await receive()",
                )
            ],
        ),
        the_user_is_in_the_cache=(
            [
                ("True, SECONDS)", "user.pk, SECONDS)"),
                ("[user.pk, number]", "number"),
                (SIGNED, f"number = {LOADS}"),
                (
                    f"if not {CLAIM}:",
                    f'user_id = await cache.aget(f"ticket-{{number}}")\n        if not {CLAIM}:',
                ),
            ],
        ),
        nothing_but_a_random_number=(
            [
                (
                    ISSUE,
                    '    number = secrets.token_urlsafe(32)\n    cache.set(f"ticket-{number}", '
                    "user.pk, SECONDS)\n    return number\n\n\n",
                ),
                (
                    HOLDER,
                    body(
                        'key = f"ticket-{ticket}"\n'
                        "user_id = await cache.aget(key)\n"
                        "if user_id is None or not await cache.adelete(key):\n    return None\n"
                        f"return {USER}"
                    ),
                ),
            ],
        ),
        own_clock=(
            [
                ("[user.pk, number]", "[user.pk, number, time.time()]"),
                (SIGNED, "user_id, number, at = signing.loads(ticket, salt=SALT)"),
                (f"if not {CLAIM}", f"if time.time() - at > SECONDS or not {CLAIM}"),
            ],
        ),
        timestamp_signer=(
            [
                (
                    "signing.dumps([user.pk, number], salt=SALT)",
                    'signing.TimestampSigner(salt=SALT).sign(f"{user.pk}.{number}")',
                ),
                (
                    SIGNED,
                    "user_id, _, number = signing.TimestampSigner(salt=SALT).unsign("
                    'ticket, max_age=timedelta(seconds=SECONDS)).partition(".")',
                ),
            ],
        ),
        catches_a_deleted_user=(
            [
                (
                    f"return {USER}",
                    "try:\n            return await User.objects.aget(pk=user_id, is_active=True)\n"
                    "        except User.DoesNotExist:\n            return None",
                ),
            ],
        ),
        a_function_around_the_consumer=(
            [
                (
                    "application = TicketMiddleware(StageDoor.as_asgi())",
                    "def behind_tickets(inner):\n"
                    "    async def application(scope, receive, send):\n"
                    "        user = await TicketMiddleware(inner).holder_of(ticket_in(scope))\n"
                    "        if user is not None:\n"
                    "            return await inner(scope | {'user': user}, receive, send)\n"
                    "        await send({'type': 'websocket.close', 'code': 1000})\n"
                    "    return application\n"
                    "application = behind_tickets(StageDoor.as_asgi())",
                ),
            ],
        ),
        the_consumer_asks_itself=(
            [
                (
                    "class StageDoor(AsyncConsumer):\n",
                    "class StageDoor(AsyncConsumer):\n"
                    "    async def __call__(self, scope, receive, send):\n"
                    "        user = await TicketMiddleware(None).holder_of(ticket_in(scope))\n"
                    "        if user is None:\n"
                    "            await send({'type': 'websocket.close'})\n"
                    "        else:\n"
                    "            scope = {**scope, 'user': user}\n"
                    "            await super().__call__(scope, receive, send)\n\n",
                ),
                ("TicketMiddleware(StageDoor.as_asgi())", "StageDoor.as_asgi()"),
            ],
        ),
        logs_who_and_not_with_what=(
            [(CLOSE, f"logger.warning('refused %s', scope['path'])\n            {CLOSE}")],
        ),
    ),
)
def test_a_right_door_is_green(changes):
    verdict = SUBMISSIONS.changed(*changes)
    assert verdict.green, verdict.diagnosis_ids


@pytest.mark.parametrize(
    "changes, diagnosis",
    named(
        any_scheme=([(' if scheme == "Ticket" else ""', "")], "accepts-everyone"),
        strangers_are_users_too=(
            [
                ("if user is None:", "if user is None and ticket_in(scope):"),
                ('"user": user}', '"user": user or AnonymousUser()}'),
            ],
            "accepts-everyone",
        ),
        refuses_all=(
            [("if user is None:", "if user is None or not user.is_authenticated():")],
            "attribute-called",
        ),
        asks_for_staff=([("is_active=True", "is_staff=True")], "refuses-everyone"),
        another_salt=([(LOADS, LOADS.replace("SALT", "'door'"))], "refuses-everyone"),
        another_key=([(CLAIM, 'await cache.adelete(f"ticket:{number}")')], "refuses-everyone"),
        ten_times_as_long=([("max_age=SECONDS", "max_age=timedelta(minutes=5)")], "ticket-too-old"),
        looks_at_no_time=(
            [
                (
                    "signing.dumps([user.pk, number], salt=SALT)",
                    "signing.Signer(salt=SALT).sign_object([user.pk, number])",
                ),
                (LOADS, "signing.Signer(salt=SALT).unsign_object(ticket)"),
            ],
            "ticket-too-old",
        ),
        a_few_seconds=([("max_age=SECONDS", "max_age=5")], "ticket-refused-early"),
        cache_forgets_early=(
            [
                ("True, SECONDS)", "True, 5)"),
                (CLAIM, 'await cache.aget(f"ticket-{number}") or not ' + CLAIM),
            ],
            "ticket-refused-early",
        ),
        asks_and_does_not_take=(
            [(CLAIM, 'await cache.ahas_key(f"ticket-{number}")')],
            "ticket-used-twice",
        ),
        notes_the_used_and_does_not_look=(
            [
                (
                    f"if not {CLAIM}:\n            return None\n",
                    'await cache.aadd(f"used-{number}", True, SECONDS)\n',
                )
            ],
            "ticket-used-twice",
        ),
        looks_and_takes=(
            [
                (f"if not {CLAIM}:", 'if not await cache.aget(f"ticket-{number}"):'),
                (f"return {USER}", f"{CLAIM}\n        return {USER}"),
            ],
            "ticket-raced",
        ),
        takes_at_the_end=(
            [
                (f"if not {CLAIM}:", 'if not await cache.aget(f"ticket-{number}"):'),
                (
                    f"return {USER}",
                    f"user = {USER}\n        await cache.aset(f'ticket-{{number}}', False)\n"
                    "        return user",
                ),
            ],
            "ticket-raced",
        ),
        used_on_the_class=(
            [
                ("    async def holder_of", "    used = set()\n\n    async def holder_of"),
                (
                    f"if not {CLAIM}:\n            return None\n",
                    "if number in self.used:\n            return None\n"
                    "        self.used.add(number)\n",
                ),
            ],
            "ticket-used-elsewhere",
        ),
        remembered_by_lru_cache=(
            [
                ("def issue", "@lru_cache\ndef uses(number):\n    return []\n\n\ndef issue"),
                (
                    f"if not {CLAIM}:\n",
                    "uses(number).append(1)\n        if len(uses(number)) > 1:\n",
                ),
            ],
            "ticket-used-elsewhere",
        ),
        issued_in_a_dict=(
            [
                ("def issue", "issued = {}\n\n\ndef issue"),
                ('cache.set(f"ticket-{number}", True, SECONDS)', "issued[number] = user.pk"),
                (CLAIM, "issued.pop(number, None)"),
            ],
            "ticket-kept-in-process",
        ),
        number_of_the_user=(
            [("secrets.token_urlsafe(16)", "user.pk")],
            "ticket-used-twice",
        ),
        catches_the_expired_only=(
            [("signing.BadSignature", "signing.SignatureExpired")],
            "ticket-forged",
        ),
        user_beside_the_signature=(
            [
                (
                    "signing.dumps([user.pk, number], salt=SALT)",
                    'f"{user.pk}." + signing.dumps(number, salt=SALT)',
                ),
                (
                    SIGNED,
                    "user_id, _, rest = ticket.partition('.')\n            number = "
                    + LOADS.replace("ticket", "rest"),
                ),
            ],
            "ticket-unsigned",
        ),
        takes_first=(
            [
                (
                    "        try:\n            user_id",
                    "        claimed = await cache.adelete('ticket-' + ticket[-43:])\n"
                    "        try:\n            user_id",
                ),
                (
                    ISSUE.rstrip(),
                    "    ticket = signing.dumps([user.pk, 0], salt=SALT)\n"
                    "    cache.set('ticket-' + ticket[-43:], True, SECONDS)\n    return ticket",
                ),
                (CLAIM, "claimed"),
            ],
            "ticket-spent-by-forger",
        ),
        active_is_not_asked=([(", is_active=True", "")], "deactivated-let-in"),
        by_what_the_ticket_says=(
            [(f"return {USER}", "return User(pk=user_id, username='ada')")],
            "ticket-of-another",
        ),
        no_such_user=(
            [(f"return {USER}", "return await User.objects.aget(pk=user_id, is_active=True)")],
            "missing-row",
        ),
        sync_orm=(
            [(USER, "User.objects.filter(pk=user_id, is_active=True).first()")],
            "orm-in-async",
        ),
        forgotten_await=([(USER, USER.removeprefix("await "))], "never-awaited"),
        claim_not_awaited=([(CLAIM, CLAIM.removeprefix("await "))], "never-awaited"),
        prints_what_was_refused=(
            [
                (
                    "except signing.BadSignature:\n",
                    "except signing.BadSignature:\n            print('bad:', ticket)\n",
                )
            ],
            "secret-logged",
        ),
        logs_the_headers=(
            [(HAND_ON, f"logger.debug('%s', dict(scope['headers']))\n        {HAND_ON}")],
            "secret-logged",
        ),
        updates_the_scope=(
            [(HAND_ON, "scope.update(user=user)\n        await self.inner(scope, receive, send)")],
            "scope-mutated",
        ),
        takes_the_header_out=(
            [(HAND_ON, "scope['headers'].clear()\n        " + HAND_ON)],
            "scope-mutated",
        ),
        refuses_and_goes_on=(
            [(f"{CLOSE}\n            return\n", f"{CLOSE}\n")],
            "answered-after-refusal",
        ),
        says_nothing=([(f"            {CLOSE}\n", "")], "stopped-unanswered"),
        denies_as_a_generic_does=([(CLOSE, "raise DenyConnection()")], "exception"),
    ),
)
def test_a_wrong_door_gets_its_diagnosis(changes, diagnosis):
    assert SUBMISSIONS.changed(*changes).diagnosis_ids[:1] == [diagnosis]
