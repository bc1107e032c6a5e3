"""Lesson 11: sync code, outside of every consumer, sends to one."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer


class NoSuchPager(ValueError):
    """What was given is no address of a pager's."""


def page(channel, text):
    """Send the text to the consumer with that channel; whether it is still there, nobody knows.

    Raises NoSuchPager, and ChannelFull where a hundred messages wait already.
    """
    # What every layer makes for one connection. Another channel may be a worker's.
    if "specific." not in channel:
        raise NoSuchPager(channel)
    message = {"type": "pager.message", "text": text}
    try:
        async_to_sync(get_channel_layer().send)(channel, message)
    except TypeError as error:
        raise NoSuchPager(channel) from error
