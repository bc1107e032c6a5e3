"""The feed of a page: what the server recorded of the page's own connections, and of no others."""

import json
from contextlib import suppress

from channels.exceptions import StopConsumer

from lessons.workshop.page.exercise_server import servers
from lessons.workshop.page.live.page_socket import PageSocket, feed_group


class EventFeed(PageSocket):
    """Sends the page JSON texts: batches of recorded events, and the state of what is played.

    The page sends what is to be played; see servers.handle_request().
    """

    group = None  # set while the page is open

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            # This runs however the connection ends: StopConsumer, an exception, a cancel.
            if self.group:
                await self.close_page(self.group)

    async def websocket_connect(self, event):
        group = feed_group(self.scope["url_route"]["kwargs"]["feed_id"], self.scope)
        if group is None:
            await self.send({"type": "websocket.close"})
            return
        servers.open_page(group)
        self.group = group
        # Join before the accept: a page whose feed is open then misses no event.
        await self.channel_layer.group_add(group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def feed_message(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        with suppress(ValueError, RecursionError):  # from JSON that is nested too deep
            request = json.loads(event.get("text") or "null")
            await servers.handle_request(self.group, request)

    async def websocket_disconnect(self, event):
        raise StopConsumer()

    async def close_page(self, group: str):
        try:
            await self.channel_layer.group_discard(group, self.channel_name)
        finally:
            await servers.close_page(group)
