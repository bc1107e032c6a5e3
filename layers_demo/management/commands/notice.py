"""Lesson 26: a management command that puts a text on a board, and ends."""

from django.core.management.base import BaseCommand

from layers_demo.noticeboard import put_up


class Command(BaseCommand):
    help = "Put a text on a board. Clients see it at once if the channel layer is on Redis."

    def add_arguments(self, parser):
        parser.add_argument("board", type=int)
        parser.add_argument("text")

    def handle(self, *args, board, text, **options):
        if put_up(board, text):
            self.stdout.write("Stored and sent.")
        else:
            self.stdout.write("Stored. The channel layer is unreachable: clients see it later.")
