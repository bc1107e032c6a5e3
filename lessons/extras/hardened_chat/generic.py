"""The hardened chat on the generic consumer of Channels."""

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from lessons.extras.hardened_chat.logic import ChatLogic


class HardenedGenericChat(ChatLogic, AsyncJsonWebsocketConsumer):
    """The chat's logic, connected to the methods of the generic consumer."""

    async def connect(self):
        await self.join()

    async def receive(self, text_data=None, bytes_data=None):
        # Not receive_json(): before it, invalid JSON or a binary frame ends the connection.
        await self.handle_frame(text_data)
