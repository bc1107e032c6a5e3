from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.core.cache import cache
from django.db.models import F

from .models import Order, Shop

layer = get_channel_layer("stock")  # kept since the import


@database_sync_to_async
def stock_of(shop):
    return Shop.objects.get(pk=shop.pk).stock


@database_sync_to_async
def sell(shop, buyer):
    Shop.objects.filter(pk=shop.pk).update(stock=F("stock") - 1)
    cache.set(f"last buyer of {shop.pk}", buyer)
    return Order.objects.create(shop=shop, buyer=buyer).pk


async def announce(shop, number):
    await layer.group_send(f"shop-{shop.pk}", {"type": "sold", "number": number})


def check(text):
    if text == "refund":
        raise ValueError("no refunds")
