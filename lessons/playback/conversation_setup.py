"""What happens in a conversation and no client does: a row is saved, a ticket issued."""

import asyncio
import importlib
import itertools
import json

from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.sessions.backends import base
from django.db import transaction

from lessons.core.catalogue import Lesson
from lessons.simulator.channel_layer import current_layer
from lessons.simulator.communicator import StrictClient

_tickets: dict[str, str] = {}  # by name; a conversation has a process of its own


def save_row(end: str, what: str) -> None:
    name, _, fields = what.partition(" ")
    fields = json.loads(fields)
    model = apps.get_model(name)
    with transaction.atomic():
        row = model.objects.filter(pk=fields.get("id")).first() or model()
        for field, value in fields.items():
            setattr(row, field, value)
        row.save()
        transaction.set_rollback(bool(end))


def number_sessions() -> None:
    """Give sessions the same keys each time: what is derived from one may stand in a transcript."""
    numbers = itertools.count(1)
    base.get_random_string = lambda length, characters: f"{next(numbers):0{length}}"


async def ticket_of(name: str, lesson: Lesson, database) -> str:
    """The ticket that the worked middleware's module has issued to this user.

    `ada/2` is another one of ada's.
    """
    if name not in _tickets:
        user = await database.add_account(name.partition("/")[0])
        issue = importlib.import_module(lesson.stack_module).issue
        _tickets[name] = await sync_to_async(issue)(user)
    return _tickets[name]


async def send_from_elsewhere(client: StrictClient, message: dict) -> None:
    layer = current_layer()
    await layer.send(layer.channel_of(client.server.connection_id), message)
    await asyncio.get_running_loop().wait_until_idle()
