"""Lesson 26: any process may put a text on a board, and the board's clients see it.

The process has no socket. It stores the text, then sends the consumers a message: look.
"""

import time

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from layers_demo.models import Notice

PAUSES = (0.2, 0.4)  # seconds between two tries to reach the channel layer


def put_up(board, text):
    """Store the text, and let the board's clients know. For sync code, in any process.

    Returns False if the channel layer was not reached. Then a client sees the text later: when it
    connects again, or when the next text comes.
    """
    text = text[: Notice.MAX_LENGTH]
    Notice.objects.update_or_create(board=board, defaults={"text": text})
    return notify(board)


def notify(board):
    """Let the consumers of a board look. Returns whether the channel layer was reached."""
    send = async_to_sync(get_channel_layer().group_send)
    for pause in (*PAUSES, 0):
        try:
            send(f"board-{board}", {"type": "board.changed"})
            return True
        except Exception:  # each layer has its own exceptions
            time.sleep(pause)
    return False


class Noticeboard(AsyncConsumer):
    """Shows a client the text on one board. The text is in the database, never in a message."""

    group = shown = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_connect(self, event):
        self.board = self.scope["url_route"]["kwargs"]["number"]
        if self.board > Notice.MAX_BOARD:  # with a hundred digits, it could not name a group
            await self.send({"type": "websocket.close"})
            return
        # Join before the read: the message of a text that is stored after the read arrives.
        self.group = f"board-{self.board}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.show()

    async def websocket_receive(self, event):
        pass

    async def board_changed(self, event):
        await self.show()

    async def show(self):
        notice = await Notice.objects.filter(board=self.board).afirst()
        if notice and notice.text != self.shown:
            self.shown = notice.text
            await self.send({"type": "websocket.send", "text": f"notice: {notice.text}"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
