"""The sockets of a page, without a browser."""

from urllib.parse import urlencode

from channels.testing import WebsocketCommunicator
from django.conf import settings

from lessons.workshop.page.live.page_socket import FEED, serve_page

TIMEOUT = 60  # seconds; only a test that fails waits so long
SESSION = "my0session0key"


class PageClient(WebsocketCommunicator):
    """Waits as long as processes, sockets and threads may take on a busy machine."""

    async def open(self):
        assert await self.connect() == (True, None)
        return self

    async def receive_output(self, timeout=TIMEOUT):
        return await super().receive_output(max(timeout, TIMEOUT))

    async def wait(self, timeout=TIMEOUT):
        await super().wait(max(timeout, TIMEOUT))


def socket_of_page(**query):
    """The socket of a page of this session. What the page wants to know is in the query."""
    return client(serve_page, f"{FEED}?{urlencode(query)}")


async def news_of(client, name):
    """The next value that the socket of a page sends under this name."""
    while name not in (news := await client.receive_json_from()):
        pass
    return news[name]


def client(application, path, session=SESSION):
    headers = [(b"origin", b"http://localhost")]
    if session:
        cookie = f"theme=dark; {settings.SESSION_COOKIE_NAME}={session}"
        headers.append((b"cookie", cookie.encode()))
    return PageClient(application, path, headers=headers)
