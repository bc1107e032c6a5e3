"""Lesson 11: a management command that sends a message to a consumer."""

from channels.exceptions import ChannelFull
from django.core.management.base import BaseCommand, CommandError

from layers_demo.paging import InvalidChannel, send_page


class Command(BaseCommand):
    help = "Send a text to one consumer. Needs Redis: an in-memory layer stays in its process."

    def add_arguments(self, parser):
        parser.add_argument("channel", help="the channel that the consumer sent; quote it: 'a.b!c'")
        parser.add_argument("text")

    def handle(self, *args, channel, text, **options):
        try:
            send_page(channel, text)
        except InvalidChannel:
            raise CommandError("No consumer has this channel.") from None
        except ChannelFull:
            raise CommandError("The channel is full.") from None
        self.stdout.write("Sent.")
