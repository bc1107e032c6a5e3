"""Lesson 26: what processes without a socket store. Consumers read it for their clients."""

from django.db import models


class Notice(models.Model):
    """The worked example: the text on a board. A board without a row is empty."""

    MAX_LENGTH = 200  # characters
    MAX_BOARD = 2**31 - 1  # the largest number that each database stores

    board = models.PositiveIntegerField(unique=True)
    text = models.CharField(max_length=MAX_LENGTH)

    def __str__(self):
        return f"{self.board}: {self.text}"


class Job(models.Model):
    """The exercise: how far a long job is, from 0 to 100 percent."""

    percent = models.PositiveSmallIntegerField(default=0)

    def __str__(self):
        return f"{self.id}: {self.percent} %"
