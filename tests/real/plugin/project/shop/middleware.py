from channels.db import database_sync_to_async

from .models import Shop


class ShopMiddleware:
    """Puts the shop that the query names into the scope."""

    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        name = scope["query_string"].decode().removeprefix("shop=")
        shop = await database_sync_to_async(Shop.objects.filter(name=name).first)()
        await self.inner({**scope, "shop": shop}, receive, send)
