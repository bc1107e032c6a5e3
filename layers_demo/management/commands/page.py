"""Lesson 11: a management command that sends to a consumer."""

from channels.exceptions import ChannelFull
from django.core.management.base import BaseCommand, CommandError

from layers_demo.paging import NoSuchPager, page


class Command(BaseCommand):
    help = "Send a text to the client of one pager. Over Redis only: in memory, nobody hears it."

    def add_arguments(self, parser):
        parser.add_argument("channel", help="what the pager told its client; quote it: 'a.b!c'")
        parser.add_argument("text")

    def handle(self, *args, channel, text, **options):
        try:
            page(channel, text)
        except NoSuchPager:
            raise CommandError("There is no such pager.") from None
        except ChannelFull:
            raise CommandError("That pager is busy.") from None
        self.stdout.write("Sent.")
