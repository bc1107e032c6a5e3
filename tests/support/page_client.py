"""The sockets of a page, without a browser."""

from channels.testing import WebsocketCommunicator
from django.conf import settings

TIMEOUT = 60  # seconds; only a test that fails waits so long
SESSION = "my0session0key"


class PageClient(WebsocketCommunicator):
    """Waits as long as processes, sockets and threads may take on a busy machine."""

    async def receive_output(self, timeout=TIMEOUT):
        return await super().receive_output(max(timeout, TIMEOUT))

    async def wait(self, timeout=TIMEOUT):
        await super().wait(max(timeout, TIMEOUT))


def client(application, path, session=SESSION):
    headers = [(b"origin", b"http://localhost")]
    if session:
        cookie = f"theme=dark; {settings.SESSION_COOKIE_NAME}={session}"
        headers.append((b"cookie", cookie.encode()))
    return PageClient(application, path, headers=headers)
