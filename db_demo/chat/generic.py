"""Lesson 23: the same chat on Channels' generic consumer."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from db_demo.chat.conversation import Conversation


class GenericChat(Conversation, AsyncJsonWebsocketConsumer):
    """A room's conversation over the generic's methods."""

    async def connect(self):
        await self.enter()

    async def receive(self, text_data=None, bytes_data=None):
        # Not receive_json(): before it, a binary frame and bad JSON end the connection.
        await self.hear(text_data)

    tell = AsyncJsonWebsocketConsumer.send_json
    shut = AsyncJsonWebsocketConsumer.close
