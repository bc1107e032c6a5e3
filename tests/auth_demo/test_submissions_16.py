"""Submissions for lesson 16: each right counter is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

RIGHT = """\
from channels.auth import AuthMiddleware, AuthMiddlewareStack, get_user
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import DenyConnection, StopConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import CookieMiddleware, SessionMiddleware, SessionMiddlewareStack
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.urls import path


class Counter(AsyncConsumer):
    user = None

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.send({"type": "websocket.close", "code": 4401})
            return
        self.user = user
        await self.say(f"Hello, {user.get_username()}.")

    async def websocket_receive(self, event):
        if self.user is None:
            return
        may = await self.user.ahas_perm("auth.change_user")
        await self.say("stamped" if may else "not yours to stamp")

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


router = URLRouter([path("ws/auth/user/", Counter.as_asgi())])
application = AuthMiddlewareStack(router)
"""
SUBMISSIONS = Submissions("user", "", RIGHT)

STACK = "AuthMiddlewareStack(router)"
ASK = 'await self.user.ahas_perm("auth.change_user")'
KNOWN = "not user.is_authenticated"
GUARD = "        if self.user is None:\n            return\n"
KEEP = "        self.user = user\n"


def stacked(application):
    return [(f"application = {STACK}", f"application = {application}")]


@pytest.mark.parametrize(
    "changes",
    named(
        as_it_is=[],
        one_by_one=stacked("CookieMiddleware(SessionMiddleware(AuthMiddleware(router)))"),
        two_stacks=stacked("SessionMiddlewareStack(AuthMiddleware(router))"),
        validator_outside=stacked(f"AllowedHostsOriginValidator({STACK})"),
        validator_inside=stacked("AuthMiddlewareStack(AllowedHostsOriginValidator(router))"),
        by_protocol=stacked(f'ProtocolTypeRouter({{"websocket": {STACK}}})'),
        stack_within_the_route=[
            ("Counter.as_asgi())", "AuthMiddlewareStack(Counter.as_asgi()))"),
            (f"application = {STACK}", "application = router"),
        ],
        without_a_router=stacked("AuthMiddlewareStack(Counter.as_asgi())"),
        is_anonymous=[(KNOWN, "user.is_anonymous")],
        by_class=[(KNOWN, "isinstance(user, AnonymousUser)")],
        by_key=[(KNOWN, "user.pk is None")],
        by_name=[(KNOWN, 'user.username == ""')],
        asks_the_user_itself=[
            ('        user = self.scope["user"]\n', "        user = await get_user(self.scope)\n")
        ],
        sync_has_perm_in_its_thread=[
            (ASK, 'await database_sync_to_async(self.user.has_perm)("auth.change_user")')
        ],
        all_of_them_at_once=[(ASK, '"auth.change_user" in await self.user.aget_all_permissions()')],
        asked_when_it_comes=[
            (KEEP, KEEP + "        self.all = await user.aget_all_permissions()\n"),
            (ASK, '"auth.change_user" in self.all'),
        ],
        cached_and_then_sync=[
            (KEEP, KEEP + "        await user.aget_all_permissions()\n"),
            (ASK, 'self.user.has_perm("auth.change_user")'),
        ],
        asks_the_table=[
            (
                ASK,
                "await Permission.objects.filter(user=self.user.pk, codename='change_user', "
                "content_type__app_label='auth').aexists()",
            )
        ],
        asks_in_the_scope=[
            (KEEP, ""),
            (GUARD, '        if not self.scope["user"].is_authenticated:\n            return\n'),
            ("self.user.ahas_perm", 'self.scope["user"].ahas_perm'),
        ],
    ),
)
def test_a_right_version_is_green(changes):
    verdict = SUBMISSIONS.changed(*changes)
    assert verdict.green, verdict.diagnosis_ids


@pytest.mark.parametrize(
    "changes, diagnosis",
    named(
        no_application=([(f"application = {STACK}", "pass")], "name-missing"),
        no_stack=(stacked("router"), "no-auth-stack"),
        cookies_alone=(stacked("CookieMiddleware(router)"), "no-auth-stack"),
        session_alone=(stacked("SessionMiddlewareStack(router)"), "no-auth-stack"),
        auth_alone=(stacked("AuthMiddleware(router)"), "auth-without-session"),
        no_session=(stacked("CookieMiddleware(AuthMiddleware(router))"), "auth-without-session"),
        no_cookies=(stacked("SessionMiddleware(AuthMiddleware(router))"), "auth-without-session"),
        inside_out=(
            stacked("CookieMiddleware(AuthMiddleware(SessionMiddleware(router)))"),
            "auth-without-session",
        ),
        truthy=([(KNOWN, "not user")], "anonymous-let-in"),
        none=([(KNOWN, "user is None")], "anonymous-let-in"),
        active=([(KNOWN, "not hasattr(user, 'is_active')")], "anonymous-let-in"),
        called=([(KNOWN, "not user.is_authenticated()")], "attribute-called"),
        the_wrong_way_round=([(KNOWN, "user.is_authenticated")], "authenticated-user-refused"),
        staff=([(KNOWN, "not user.is_staff")], "authenticated-user-refused"),
        other_code=([("4401", "4403")], "wrong-close-code"),
        no_code=([(', "code": 4401', "")], "wrong-close-code"),
        policy_violation=([("4401", "1008")], "forbidden-close-code"),
        status_as_code=([("4401", "401")], "forbidden-close-code"),
        no_return=([('4401})\n            return\n', "4401})\n")], "send-after-close"),
        answers_strangers=([(KEEP, ""), (GUARD, ""), ("self.user.ahas", 'self.scope["user"].ahas')],
                           "send-after-close"),
        has_perm=([(ASK, 'self.user.has_perm("auth.change_user")')], "orm-in-async"),
        all_on_the_loop=([(ASK, '"auth.change_user" in self.user.get_all_permissions()')],
                         "orm-in-async"),
        relation=([(ASK, "self.user.user_permissions.exists()")], "orm-in-async"),
        no_await=([(ASK, 'self.user.ahas_perm("auth.change_user")')], "never-awaited"),
        no_app=([("auth.change_user", "change_user")], "permission-refused"),
        name_for_people=([("auth.change_user", "Can change user")], "permission-refused"),
        superuser=([(ASK, "self.user.is_superuser")], "permission-refused"),
        another_permission=([("auth.change_user", "auth.view_user")], "permission-not-asked"),
        everybody=([(ASK, "self.user.is_authenticated")], "permission-not-asked"),
        any_permission=([(ASK, "bool(await self.user.aget_all_permissions())")],
                        "permission-not-asked"),
        kept_on_the_class=([(KEEP, "        type(self).user = user\n")], "permission-refused"),
        raises=([("            return\n" + KEEP, "            raise DenyConnection\n" + KEEP)],
                "exception"),
    ),
)  # fmt: skip
def test_a_wrong_version_gets_its_diagnosis(changes, diagnosis):
    assert SUBMISSIONS.changed(*changes).diagnosis_ids[:1] == [diagnosis]
