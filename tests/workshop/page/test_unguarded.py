"""The path without an origin check: only this path, and only for lesson 17."""

import pytest
from channels.security.websocket import AllowedHostsOriginValidator
from channels.testing import WebsocketCommunicator

from lessons.workshop.page.unguarded import PATH, with_unguarded

HOSTILE = "http://evil.lessons.localhost:8666"


async def accept(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "accepted"),
    [(PATH, True), (f"{PATH}x/", False), ("ws/auth/origin/", False)],
)
async def test_only_the_unguarded_path_skips_the_origin_check(settings, path, accepted):
    settings.ALLOWED_HOSTS = ["localhost"]
    application = with_unguarded(AllowedHostsOriginValidator(accept))
    headers = [(b"origin", HOSTILE.encode())]
    client = WebsocketCommunicator(application, f"/{path}", headers=headers)
    answer, _ = await client.connect()
    await client.disconnect()
    assert answer is accepted
