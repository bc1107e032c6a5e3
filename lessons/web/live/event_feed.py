"""The feed of a page: what the server recorded of the page's own connections, and of no others."""

import json
from contextlib import suppress

from channels.exceptions import StopConsumer

from lessons.web.exercise_server import servers
from lessons.web.live.page_socket import PageSocket, feed_group


class EventFeed(PageSocket):
    """Sends the page JSON texts: batches of recorded events, and the state of what is played.

    The page sends what is to be played; see servers.handle_request().
    """

    async def websocket_connect(self, event):
        self.group = feed_group(self.scope["url_route"]["kwargs"]["feed_id"], self.scope)
        if self.group is None:
            await self.send({"type": "websocket.close"})
            return
        # Join before the accept: a page whose feed is open then misses no event.
        await self.channel_layer.group_add(self.group, self.channel_name)
        servers.open_page(self.group)
        await self.send({"type": "websocket.accept"})

    async def feed_message(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        with suppress(ValueError):
            request = json.loads(event.get("text") or "null")
            await servers.handle_request(self.group, request)

    async def websocket_disconnect(self, event):
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)
            await servers.close_page(self.group)
        raise StopConsumer()
