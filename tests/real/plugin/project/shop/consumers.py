from channels.generic.websocket import AsyncJsonWebsocketConsumer

from . import services


class Counter(AsyncJsonWebsocketConsumer):
    channel_layer_alias = "stock"

    async def connect(self):
        self.shop = self.scope["shop"]
        if self.shop is None or not self.scope["user"].is_authenticated:
            await self.close()
            return
        self.group = f"shop-{self.shop.pk}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def receive_json(self, content):
        services.check(content)
        if await services.stock_of(self.shop) > 0:  # another client may buy it now
            number = await services.sell(self.shop, self.scope["user"].username)
            await services.announce(self.shop, number)
        else:
            await self.send_json("sold out")

    async def sold(self, event):
        await self.send_json({"sold": event["number"]})

    async def disconnect(self, code):
        if code != 1006:  # a mistake: the channel of a lost connection stays in the group
            await self.channel_layer.group_discard(self.group, self.channel_name)
