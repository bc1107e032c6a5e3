"""Lesson 11: sync code outside of every consumer sends a message to one consumer."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer


class InvalidChannel(ValueError):
    """The given name is not the channel of a connection."""


def send_page(channel, text):
    """Send the first 1,000 characters to the consumer with this channel. It may have disconnected.

    Raises InvalidChannel. Raises ChannelFull if a hundred messages are waiting.
    """
    # Every layer puts "specific." into the channel of a connection. Others may be a worker's.
    if "specific." not in channel:
        raise InvalidChannel(channel)
    message = {"type": "pager.message", "text": text[:1000]}
    try:
        async_to_sync(get_channel_layer().send)(channel, message)
    except TypeError as error:
        raise InvalidChannel(channel) from error
