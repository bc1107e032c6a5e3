"""Submissions for lesson 17: each right guard is green, each wrong one gets its diagnosis."""

import pytest

from tests.support.submissions import Submissions, named

BEGINNING = """\
import re
from urllib.parse import urlparse, urlsplit

from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import (
    AllowedHostsOriginValidator, OriginValidator, WebsocketDenier
)
from django.conf import settings
from django.http.request import is_same_domain, validate_host
from django.urls import path, re_path

SITE = "letters.town.example"


class Letters(AsyncConsumer):
    async def websocket_connect(self, event):
        user = self.scope["user"]
        await self.send({"type": "websocket.accept"})
        if user.is_authenticated:
            text = f"Letters for {user.get_username()}: 3"
            await self.send({"type": "websocket.send", "text": text})
        else:
            await self.send({"type": "websocket.close", "code": 4401})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


stack = AuthMiddlewareStack(URLRouter([path("ws/auth/origin/", Letters.as_asgi())]))


def origin_of(scope):
    return dict(scope["headers"]).get(b"origin", b"").decode("latin1")


def guarded(is_own):
    async def application(scope, receive, send):
        if is_own(origin_of(scope)):
            return await stack(scope, receive, send)
        await send({"type": "websocket.close"})
    return application


"""
SUBMISSIONS = Submissions("origin", BEGINNING, "")


def judged(source):
    return SUBMISSIONS.verdict(source=f"{BEGINNING}{source}\n")


VALIDATOR = "application = OriginValidator({stack}, [{allowed}])"
BOTH = 'f"https://.{SITE}", f"https://.{SITE}:8443"'


@pytest.mark.parametrize(
    "source",
    named(
        validator=VALIDATOR.format(stack="stack", allowed=BOTH),
        validator_with_port_443=VALIDATOR.format(
            stack="stack", allowed='f"https://.{SITE}:443", f"https://.{SITE}:8443"'
        ),
        validator_below_the_user=(
            "application = AuthMiddlewareStack(OriginValidator(URLRouter("
            f'[path("ws/auth/origin/", Letters.as_asgi())]), [{BOTH}]))'
        ),
        protocol_router=(
            f'application = ProtocolTypeRouter({{"websocket": OriginValidator(stack, [{BOTH}])}})'
        ),
        own_subclass=(
            "class Own(OriginValidator):\n"
            "    def valid_origin(self, origin):\n"
            "        host = origin and origin.hostname or ''\n"
            "        own = host == SITE or host.endswith('.' + SITE)\n"
            "        return own and origin.scheme == 'https' and origin.port in (None, 8443)\n"
            "application = Own(stack, [])"
        ),
        taken_apart=(
            "def is_own(origin):\n"
            "    scheme, _, rest = origin.partition('://')\n"
            "    host, _, port = rest.partition(':')\n"
            "    return scheme == 'https' and port in ('', '8443') "
            "and (host == SITE or host.endswith(f'.{SITE}'))\n"
            "application = guarded(is_own)"
        ),
        suffixes=(
            "ENDS = tuple(f'{dot}{SITE}{port}' for dot in ('://', '.') for port in ('', ':8443'))\n"
            "application = guarded(lambda it: it.startswith('https://') and it.endswith(ENDS))"
        ),
        django_s_own_pattern=(
            "def is_own(origin):\n"
            "    it = urlsplit(origin)\n"
            "    return it.scheme == 'https' and it.port in (None, 443, 8443) "
            "and is_same_domain(it.hostname or '', '.' + SITE)\n"
            "application = guarded(is_own)"
        ),
        on_bytes=(
            "OWN = re.compile(rb'\\Ahttps://(?:[^.:/]+\\.)*letters[.]town[.]example(?::8443)?\\Z')\n"
            "async def application(scope, receive, send):\n"
            "    for name, value in scope['headers']:\n"
            "        if name == b'origin' and OWN.match(value):\n"
            "            return await stack(scope, receive, send)\n"
            "    await send({'type': 'websocket.close', 'code': 1000})"
        ),
        denier=(
            "async def application(scope, receive, send):\n"
            "    own = re.fullmatch(r'https://(.+\\.)?letters\\.town\\.example(:8443)?', "
            "origin_of(scope))\n"
            "    await (stack if own else WebsocketDenier())(scope, receive, send)"
        ),
        waits_for_connect_first=(
            "async def application(scope, receive, send):\n"
            "    if re.fullmatch(r'https://(.+\\.)?letters\\.town\\.example(:8443)?', "
            "origin_of(scope)):\n"
            "        return await stack(scope, receive, send)\n"
            "    assert (await receive())['type'] == 'websocket.connect'\n"
            "    await send({'type': 'websocket.close'})\n"
            "    await receive()"
        ),
        guards_after_the_user=(
            "inner = Letters.as_asgi()\n"
            "async def guard(scope, receive, send):\n"
            "    if re.fullmatch(r'https://(.+\\.)?letters\\.town\\.example(:8443)?', "
            "origin_of(scope)):\n"
            "        return await inner(scope, receive, send)\n"
            "    await send({'type': 'websocket.close'})\n"
            "application = AuthMiddlewareStack(guard)"
        ),
    ),
)
def test_a_right_guard_is_green(source):
    verdict = judged(source)
    assert verdict.green, verdict.diagnosis_ids


FULL = r"https://([a-z0-9-]+\.)*letters\.town\.example(:8443)?"


@pytest.mark.parametrize(
    "source, diagnosis",
    named(
        nothing=("application = stack", "origin-not-checked"),
        star=(VALIDATOR.format(stack="stack", allowed=f'{BOTH}, "*"'), "origin-not-checked"),
        any_https=(
            "application = guarded(lambda it: it.startswith('https'))",
            "origin-not-checked",
        ),
        any_origin=("application = guarded(bool)", "origin-not-checked"),
        only_what_is_known_as_hostile=(
            "application = guarded(lambda it: 'evil' not in it)",
            "origin-not-checked",
        ),
        debug_is_open=(
            f"application = guarded(lambda it: '127.0.0.1' in it or re.fullmatch(r'{FULL}', it))",
            "origin-not-checked",
        ),
        the_wrong_way_round=(
            f"application = guarded(lambda it: not re.fullmatch(r'{FULL}', it))",
            "refuses-everyone",
        ),
        star_as_a_part=(
            VALIDATOR.format(stack="stack", allowed='f"https://*.{SITE}"'),
            "refuses-everyone",
        ),
        django_s_hosts=("application = AllowedHostsOriginValidator(stack)", "refuses-everyone"),
        optional_pattern=(
            f"application = guarded(lambda it: re.fullmatch(r'({FULL})?', it))",
            "no-origin-let-in",
        ),
        missing_is_own_site=(
            "async def application(scope, receive, send):\n"
            "    origin = dict(scope['headers']).get(b'origin', b'https://letters.town.example')\n"
            f"    if re.fullmatch(r'{FULL}', origin.decode()):\n"
            "        return await stack(scope, receive, send)\n"
            "    await send({'type': 'websocket.close'})",
            "no-origin-let-in",
        ),
        null=(
            f"application = guarded(lambda it: re.fullmatch(r'null|{FULL}', it))",
            "null-origin-let-in",
        ),
        null_has_no_host=(
            "application = guarded(lambda it: it and not (urlsplit(it).hostname or SITE)"
            ".rpartition(SITE)[2] and SITE in (urlsplit(it).hostname or SITE))",
            "null-origin-let-in",
        ),
        search=(f"application = guarded(lambda it: re.search(r'{FULL}', it))", "origin-in-part"),
        dollar_is_missing=(
            f"application = guarded(lambda it: re.match(r'{FULL}', it))",
            "origin-in-part",
        ),
        stops_unescaped=(
            "application = guarded(lambda it: re.fullmatch("
            r"r'https://([a-z0-9-]+\.)*letters.town\.example(:8443)?', it))",
            "origin-in-part",
        ),
        any_prefix=(
            f"application = guarded(lambda it: re.fullmatch(r'https://.*{FULL[26:]}', it))",
            "origin-in-part",
        ),
        parent=(
            "application = guarded(lambda it: re.fullmatch("
            "r'https://([a-z0-9-]+\\.)*town\\.example(:8443)?', it))",
            "origin-in-part",
        ),
        django_s_hosts_of_the_site=(
            VALIDATOR.format(stack="stack", allowed='"." + SITE'),
            "origin-scheme",
        ),
        scheme_optional=(
            f"application = guarded(lambda it: re.fullmatch(r'{FULL}'.replace('s:', 's?:'), it))",
            "origin-scheme",
        ),
        any_port=(
            f"application = guarded(lambda it: re.fullmatch(r'{FULL[:-8]}(:[0-9]+)?', it))",
            "origin-port",
        ),
        port_in_part=(
            f"application = guarded(lambda it: re.fullmatch(r'{FULL[:-8]}(:[0-9]*8443)?', it))",
            "origin-port",
        ),
        one_level=(
            "application = guarded(lambda it: re.fullmatch("
            r"r'https://([a-z]+\.)?letters\.town\.example(:8443)?', it))",
            "own-page-refused",
        ),
        accepts_and_closes=(
            "async def application(scope, receive, send):\n"
            f"    if re.fullmatch(r'{FULL}', origin_of(scope)):\n"
            "        return await stack(scope, receive, send)\n"
            "    await receive()\n"
            "    await send({'type': 'websocket.accept'})\n"
            "    await send({'type': 'websocket.close', 'code': 4403})\n"
            "    await receive()",
            "origin-checked-late",
        ),
        refuses_with_a_code=(
            "async def application(scope, receive, send):\n"
            f"    if re.fullmatch(r'{FULL}', origin_of(scope)):\n"
            "        return await stack(scope, receive, send)\n"
            "    await send({'type': 'websocket.close', 'code': 4403})",
            "code-before-accept",
        ),
        no_user=(
            "stack = URLRouter([path('ws/auth/origin/', Letters.as_asgi())])\n"
            f"application = guarded(lambda it: re.fullmatch(r'{FULL}', it))",
            "no-auth-stack",
        ),
    ),
)
def test_a_wrong_guard_gets_its_diagnosis(source, diagnosis):
    assert judged(source).diagnosis_ids[:1] == [diagnosis]
