"""A lesson's page that plays an exercise: its feed and its clients, without a browser."""

import json

from channels.testing import WebsocketCommunicator
from django.conf import settings

from lessons.workshop.page.live.feed import new_feed_id

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


class PlayedPage:
    """A page of a lesson whose clients connect to `target`. Use it as an async context manager."""

    def __init__(self, application, lesson, target="exercise", session=SESSION):
        self.application, self.lesson, self.target = application, lesson, target
        self.session = session
        self.feed_id = new_feed_id(session)
        self.messages = []  # what the feed has sent

    async def __aenter__(self):
        self.feed = client(self.application, f"/ws/feed/{self.feed_id}/", self.session)
        assert await self.feed.connect() == (True, None)
        return self

    async def __aexit__(self, *_):
        await self.feed.disconnect()

    def path(self, number=1, path="/ws/lamp/", more=""):
        options = f"client={number}&lesson={self.lesson.key}&target={self.target}{more}"
        return f"/watched/{self.feed_id}/{options}{path}"

    def client(self, number=1, session=SESSION, **path):
        return client(self.application, self.path(number, **path), session)

    async def connect(self, number=1, **path):
        """A connected client."""
        opened = self.client(number, **path)
        assert await opened.connect() == (True, None)
        return opened

    async def request(self, **request):
        await self.feed.send_json_to(request)

    async def wait_for(self, is_wanted):
        """The next message of the feed that is wanted."""
        while True:
            message = json.loads(await self.feed.receive_from())
            self.messages.append(message)
            if is_wanted(message):
                return message

    async def state(self, *states):
        """What the feed reports about the served target, once it has one of these states."""
        message = await self.wait_for(lambda one: one.get("played", {}).get("state") in states)
        return message["played"]

    async def finding(self):
        """The next finding that the feed reports."""
        message = await self.wait_for(lambda one: one.get("played", {}).get("finding"))
        return message["played"]["finding"]

    async def events(self, until="finished"):
        """All recorded events, up to the first of that type."""

        def has_last(message):
            return until in [event["message"].get("type") for event in message.get("events", [])]

        await self.wait_for(has_last)
        return [event for message in self.messages for event in message.get("events", [])]


def lines(events: list[dict]) -> list[tuple[str, str, str]]:
    """Direction, type and handler of each event that a page received."""
    return [(event["direction"], event["message"]["type"], event["handler"]) for event in events]
