"""The groups of the channel layer, and the messages to them.

A message only says "look now": the database has what is new. So a lost message costs time, and no
more: each socket also looks again by itself after some seconds.
"""

import logging

from channels.layers import get_channel_layer

from lessons.workshop.room.store.board_actions import Change

logger = logging.getLogger(__name__)


def class_group(class_id: int) -> str:
    return f"room-class-{class_id}"


def student_group(student_id: int) -> str:
    return f"room-student-{student_id}"


def board_group(class_id: int) -> str:
    return f"room-board-{class_id}"


async def announce(class_id: int, change: Change) -> None:
    """Let students and boards look at what has changed. Without Redis, they do it later."""
    look = {"type": "room.look"}
    try:
        layer = get_channel_layer()
        if change.to_all:
            await layer.group_send(class_group(class_id), look)
        elif change.student is not None:
            await layer.group_send(student_group(change.student), look)
        rows = [one for one in (change.student, change.row) if one is not None]
        message = {**look, "students": rows, "class_changed": change.class_changed}
        await layer.group_send(board_group(class_id), message)
    except Exception as error:  # the layer's own exceptions: the change is stored anyway
        logger.warning("A change of class %s was not announced: %s", class_id, error)
