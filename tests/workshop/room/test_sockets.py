"""A student's machine and a board, end to end on the real consumers."""

import pytest

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.member.protocol import CONNECT_AGAIN
from lessons.workshop.room.models import Report, Standing
from lessons.workshop.room.store import board_rows
from tests.support.room import (
    board_client,
    board_socket,
    new_class,
    new_student,
    report,
    session_cookie,
    student_socket,
)

pytestmark = pytest.mark.django_db(transaction=True)

VERDICT = {
    "outcomes": [{"finding": {"diagnosis": "no-stop", "message": "It never stops."}}, {}, None],
    "problem": None,
}


async def test_a_report_reaches_the_board_and_the_database():
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, student_socket(ann) as student:
        assert student.welcome == {
            "type": "welcome",
            "class": "Monday",
            "name": "Ann",
            "acknowledged": 0,
            "state": {
                "hints_held": [],
                "solutions_held": [],
                "look": None,
                "timer": None,
                "hand": False,
                "poll": None,
            },
        }
        await student.say("report", **report(verdict=VERDICT, hints=2, code="secret"))
        assert await student.next() == {"type": "acknowledged", "sequence": 1}
        row = {"version": 0}
        while row["version"] == 0:
            [row] = (await board.next("rows"))["students"]
        joined, progress = row.pop("joined"), row.pop("progress_at")
        assert joined < progress
        assert row == {
            "id": ann.student.pk,
            "name": "Ann",
            "number": 1,
            "version": 1,
            "standings": {"stop": "red"},
            "done": [],
            "lesson": "stop",
            "state": "red",
            "diagnosis": "no-stop",
            "headline": "It never stops.",
            "hints": 2,
            "hand": None,
            "connected": True,
            "shares_code": False,
        }
    stored = await Report.objects.aget()
    assert (stored.device, stored.sequence, stored.verdict) == ("laptop", 1, VERDICT)
    assert stored.code is None  # Ann does not share it


async def test_a_report_that_is_sent_again_is_acknowledged_and_stored_once():
    ann = await new_student(await new_class(), shares_code=True)
    async with student_socket(ann) as student:
        await student.say("report", **report(1, state="green", was_green=True, code="pass"))
        await student.say("report", **report(2, code=""))
        for sequence in (1, 2):
            assert await student.next() == {"type": "acknowledged", "sequence": sequence}
    async with student_socket(ann) as student:
        assert student.welcome["acknowledged"] == 2
        await student.say("report", **report(1, state="green", was_green=True))
        assert await student.next() == {"type": "acknowledged", "sequence": 1}
    stored = [(one.sequence, one.code) async for one in Report.objects.order_by("pk")]
    assert stored == [(1, "pass"), (2, "")]
    assert (await Standing.objects.aget()).state == "red"  # as the later report says


async def test_the_two_machines_of_a_student_count_separately():
    ann = await new_student(await new_class())
    async with student_socket(ann) as laptop, student_socket(ann, "desktop") as desktop:
        for client in (laptop, desktop):
            await client.say("report", **report(1))
            assert await client.next() == {"type": "acknowledged", "sequence": 1}
    assert await Report.objects.acount() == 2


async def test_a_message_reaches_connected_students_and_those_who_come_later():
    school_class = await new_class()
    ann, ben = await new_student(school_class), await new_student(school_class, "Ben")
    async with board_socket(school_class) as board:
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


async def test_a_switch_changes_the_state_of_all_students():
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, student_socket(ann) as student:
        await board.say("hold", what="hints", lesson="stop")
        assert (await student.next("state"))["hints_held"] == ["stop"]
        await board.say("hold", what="hints", lesson="*")
        assert (await student.next("state"))["hints_held"] == ["*"]
        await board.say("release", what="hints", lesson="stop")
        state = await student.next("state")
        assert "stop" not in state["hints_held"]
        assert len(state["hints_held"]) == len(lessons()) - 1
        assert (await board.next("class"))["class"]["hints_held"]


async def test_a_poll_shows_its_counts_only_when_the_board_says_so():
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, student_socket(ann) as student:
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


async def test_a_board_that_cannot_read_is_closed_and_may_connect_again(monkeypatch):
    school_class = await new_class()

    def fail(class_id):
        raise OSError("the disk is full")

    monkeypatch.setattr(board_rows, "snapshot", fail)
    board = board_client(school_class, await session_cookie())
    assert await board.open()
    assert await board.close_code() == CONNECT_AGAIN
    await board.disconnect()
