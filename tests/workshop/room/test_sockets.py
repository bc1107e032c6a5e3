"""A student's machine and a board on the real consumers, with and without faults of the room."""

from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.utils import timezone

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.room import board_socket as board_module
from lessons.workshop.room import report_writer
from lessons.workshop.room import student_socket as student_module
from lessons.workshop.room.models import Presence, Report
from lessons.workshop.room.store import presence
from tests.support.room import (
    TIMEOUT,
    new_student,
    report,
    student_socket,
)

pytestmark = pytest.mark.django_db(transaction=True)

VERDICT = {
    "outcomes": [{"finding": {"diagnosis": "no-stop", "message": "It never stops."}}, {}, None],
    "problem": None,
}


async def test_a_report_reaches_the_board_and_the_database(board, student, ann):
    assert student.welcome == {
        "type": "welcome",
        "class": "Monday",
        "name": "Ann",
        "acknowledged": 0,
        "state": {
            **dict.fromkeys(("look", "timer", "poll")),
            "hints_held": [],
            "solutions_held": [],
            "hand": False,
        },
    }
    await student.say("report", **report(verdict=VERDICT, hints=2, code="secret"))
    assert await student.next() == {"type": "acknowledged", "sequence": 1}
    row = {"version": 0}
    while row["version"] == 0:
        [row] = (await board.next("rows"))["students"]
    assert row.pop("joined") < row.pop("progress_at")
    assert row == {
        "id": ann.student.pk,
        "name": "Ann",
        "number": 1,
        "version": 1,
        "connected": True,
        "standings": {"stop": "red"},
        "done": [],
        "lesson": "stop",
        "state": "red",
        "diagnosis": "no-stop",
        "headline": "It never stops.",
        "hints": 2,
        "hand": None,
        "shares_code": False,
    }
    stored = await Report.objects.aget()
    assert (stored.device, stored.sequence, stored.verdict) == ("laptop", 1, VERDICT)
    assert stored.code is None  # Ann does not share it


async def test_a_message_reaches_connected_students_and_those_who_come_later(monday, ann, board):
    ben = await new_student(monday, "Ben")
    async with student_socket(ann) as student:
        await board.say("message", student=None, text="Break", request=7)
        assert await board.next("done") == {"type": "done", "request": 7}
        message = await student.next()
        assert (message["kind"], message["data"]) == ("message", {"text": "Break"})
    await board.say("message", student=ben.student.pk, text="Well done")
    assert await board.next("done") == {"type": "done"}
    async with student_socket(ann, after=message["id"]) as student:
        await student.say("hand", raised=True)
        assert (await student.next())["hand"] is True  # no announcement came before it
    async with student_socket(ben) as student:
        texts = [(await student.next("announcement"))["data"]["text"] for _ in range(2)]
        assert texts == ["Break", "Well done"]


async def test_a_switch_changes_the_state_of_all_students(board, student):
    await board.say("hold", what="hints", lesson="stop")
    assert (await student.next("state"))["hints_held"] == ["stop"]
    await board.say("hold", what="hints", lesson="*")
    assert (await student.next("state"))["hints_held"] == ["*"]
    await board.say("release", what="hints", lesson="stop")
    state = await student.next("state")
    assert "stop" not in state["hints_held"]
    assert len(state["hints_held"]) == len(lessons()) - 1
    assert (await board.next("class"))["class"]["hints_held"]


async def test_a_poll_shows_its_counts_only_when_the_board_says_so(board, student):
    await board.say("poll", action="open", lesson="stop", question=1)
    poll = (await student.next("state"))["poll"]
    assert (poll["state"], poll["round"], poll["rounds"]) == ("open", 1, None)
    await student.say("vote", poll=poll["id"], round=1, answer="b")
    assert (await student.next("state"))["poll"]["voted"] == "b"
    await board.say("poll", action="show")
    assert (await student.next("state"))["poll"]["rounds"] == [{"b": 1}]
    await board.say("poll", action="again")
    again = (await student.next("state"))["poll"]
    assert (again["state"], again["round"], again["voted"]) == ("open", 2, None)
    await board.say("poll", action="end")
    assert (await student.next("state"))["poll"] is None


# Faults


async def test_a_lost_message_only_delays_what_student_and_board_see(
    quick_reread, board, student, monkeypatch
):
    async def lose(class_id, change):
        pass

    for module in (board_module, student_module):
        monkeypatch.setattr(module, "announce", lose)
    await board.say("message", student=None, text="Break")
    await board.say("hold", what="solutions", lesson="*")
    assert (await student.next("announcement"))["data"] == {"text": "Break"}
    assert (await board.next("class"))["class"]["solutions_held"] == ["*"]
    await student.say("report", **report(state="green", was_green=True))
    row = {"standings": {}}
    while not row["standings"]:
        [row] = (await board.next("rows"))["students"]
    assert (row["standings"], row["done"]) == ({"stop": "green"}, ["stop"])


async def test_a_layer_that_fails_loses_no_report(student, monkeypatch):
    async def fail(*args):
        raise ConnectionError("Redis is unreachable")

    monkeypatch.setattr(type(get_channel_layer()), "group_send", fail)
    await student.say("report", **report())
    assert await student.next() == {"type": "acknowledged", "sequence": 1}
    assert await Report.objects.acount() == 1


async def test_a_database_that_fails_acknowledges_nothing(ann, monkeypatch):
    def fail(reports):
        raise OperationalError("database is locked")

    async def send_a_report():
        async with student_socket(ann) as student:
            await student.say("report", **report())
            await student.wait(TIMEOUT)

    monkeypatch.setattr(report_writer, "save_reports", fail)
    with pytest.raises(OperationalError):  # Daphne closes with 1011, and the client returns
        await send_a_report()
    async with student_socket(ann) as student:
        assert student.welcome["acknowledged"] == 0


async def test_a_student_is_connected_as_long_as_one_machine_is(ann, monday):
    connected = database_sync_to_async(presence.connected)
    async with student_socket(ann, "laptop"):
        async with student_socket(ann, "desktop"):
            assert await connected(monday.pk) == {ann.student.pk}
        assert await connected(monday.pk) == {ann.student.pk}
    assert await connected(monday.pk) == set()
    assert not await Presence.objects.aexists()


async def test_a_student_of_a_killed_server_is_disconnected_after_forty_seconds(ann):
    killed = await Presence.objects.acreate(student=ann.student, channel="killed")
    connected = database_sync_to_async(presence.connected)
    assert await connected(ann.student.school_class_id) == {ann.student.pk}
    killed.seen = timezone.now() - presence.STALE_AFTER - timedelta(seconds=1)
    await killed.asave()
    assert await connected(ann.student.school_class_id) == set()
