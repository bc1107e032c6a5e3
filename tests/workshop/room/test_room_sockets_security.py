"""Attacks on the sockets of the room: who may connect, and what a frame cannot do."""

import json

import pytest
from channels.db import database_sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from lessons.workshop.member.protocol import MAX_FRAME
from lessons.workshop.room import models, student_socket
from lessons.workshop.room.models import AccessToken, Announcement, Class, Report, Student, Vote
from lessons.workshop.room.store import classes
from tests.support.room import (
    TIMEOUT,
    board_client,
    board_socket,
    new_class,
    new_student,
    report,
    session_cookie,
    student_client,
)
from tests.support.room import RoomClient as Client
from tests.support.room import student_socket as connected_student

pytestmark = pytest.mark.django_db(transaction=True)


# Who may connect


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"x-none", b""),
        (b"authorization", b"Bearer "),
        (b"authorization", b"Bearer wrong"),
        (b"authorization", b"Bearer \xff\x00"),
        (b"authorization", b"Basic TOKEN"),
        (b"cookie", b"token=TOKEN"),
        (b"cookie", b"SESSION"),
    ],
)
async def test_rejects_a_student_without_a_valid_token(name, value, ann):
    _, session = await session_cookie()  # of an instructor
    value = value.replace(b"TOKEN", ann.token.encode()).replace(b"SESSION", session)
    assert not await Client("/room/student/", [(name, value)]).open()


async def test_the_database_holds_no_token_and_no_place_code(ann):
    digests = [(await AccessToken.objects.aget()).digest, ann.student.place_digest]
    assert ann.token not in digests
    assert ann.place not in digests


@pytest.mark.parametrize(
    ("origin", "host", "is_accepted"),
    [
        (b"http://localhost", b"localhost", True),
        (b"http://evil.test", b"localhost", False),
        (b"null", b"localhost", False),
        (b"http://localhost.evil.test", b"localhost", False),
        (b"http://evil.test", b"evil.test", False),  # a rebound name: both agree
    ],
)
async def test_both_sockets_accept_only_a_page_of_the_room(origin, host, is_accepted, ann, monday):
    for client in (
        student_client(ann.token, (b"origin", origin)),
        board_client(monday, await session_cookie(), origin),
    ):
        client.scope["headers"][0] = (b"host", host)
        assert await client.open() is is_accepted
        if is_accepted:
            await client.disconnect()


@pytest.mark.parametrize("known_by", ["nothing", "a wrong cookie", "no staff", "a student's token"])
async def test_a_board_without_a_login_of_staff_receives_4401_and_changes_nothing(
    monday, ann, known_by
):
    header = {
        "nothing": (b"cookie", b""),
        "a wrong cookie": (b"cookie", b"sessionid=wrong"),
        "no staff": await session_cookie("eve", is_staff=False),
        "a student's token": (b"authorization", f"Bearer {ann.token}".encode()),
    }[known_by]
    board = board_client(monday, header)
    assert await board.open()
    await board.say("message", student=None, text="mine")
    assert await board.receive_output(TIMEOUT) == {"type": "websocket.close", "code": 4401}
    assert not await Announcement.objects.aexists()


@pytest.mark.parametrize("change", ["log out", "no staff any more", "inactive", "new password"])
async def test_closes_a_board_whose_user_has_lost_the_right(quick_reread, board, change):
    user = await User.objects.aget()
    if change == "log out":
        await Session.objects.all().adelete()
    elif change == "new password":
        user.set_password("other")
    user.is_staff = change != "no staff any more"
    user.is_active = change != "inactive"
    await user.asave()
    assert await board.close_code() == 4401


async def test_does_nothing_for_a_board_whose_session_has_ended(board):
    await Session.objects.all().adelete()
    await board.say("message", student=None, text="late")
    assert await board.close_code() == 4401
    assert not await Announcement.objects.aexists()


async def test_deleting_a_class_leaves_nothing_of_it_and_closes_its_sockets(
    quick_reread, monday, board, ann, student
):
    await open_poll(board)
    poll = (await student.next("state"))["poll"]["id"]
    await student.say("vote", poll=poll, round=1, answer="a")
    await student.say("report", **report())
    await student.next("acknowledged")
    await board.say("message", student=ann.student.pk, text="Hello")
    await board.next("done")
    await database_sync_to_async(classes.delete_class)(monday)
    assert await student.close_code() == 4404
    assert await board.close_code() == 4404
    for model in apps.get_app_config(Class._meta.app_label).get_models():
        assert not await model.objects.aexists()


async def test_closes_the_socket_of_a_student_who_was_removed(board, student, ann):
    await board.say("remove", student=ann.student.pk)
    assert await student.close_code() == 4401
    assert (await board.next("gone"))["students"] == [ann.student.pk]
    assert not await student_client(ann.token).open()


# What a frame cannot do


async def test_a_forged_student_in_a_frame_changes_nothing(monday, ann, student):
    ben = await new_student(monday, "Ben")
    forged = {"student": ben.student.pk, "student_id": ben.student.pk, "name": "Ben"}
    await student.say("report", **report(), **forged)
    await student.say("hand", raised=True, **forged)
    await student.next("state")
    assert (await Report.objects.aget()).student_id == ann.student.pk
    raised = Student.objects.filter(hand_raised_at__isnull=False)
    assert [one.pk async for one in raised] == [ann.student.pk]


async def test_a_board_cannot_reach_a_student_of_another_class(board):
    ben = await new_student(await new_class("Friday"), "Ben")
    for action in (
        {"type": "message", "text": "Hi"},
        {"type": "hand", "raised": False},
        {"type": "remove"},
    ):
        await board.say(**action, student=ben.student.pk)
        assert (await board.next("error"))["text"] == "This class has no such student."
    assert await Student.objects.acount() == 2
    assert not await Announcement.objects.aexists()


async def test_a_class_sees_nothing_of_another_class(ann, board):
    ben = await new_student(await new_class("Friday"), "Ben")
    assert [row["name"] for row in board.snapshot["students"]] == ["Ann"]
    async with connected_student(ben) as student:
        await board.say("message", student=None, text="for Monday")
        await board.say("hold", what="hints", lesson="*")
        for _ in range(2):
            await board.next("done")
        await student.say("hand", raised=True)
        assert (await student.next())["hints_held"] == []  # its first frame since `welcome`
    async with connected_student(ann) as student:
        assert (await student.next())["data"] == {"text": "for Monday"}


async def open_poll(board) -> None:
    await board.say("poll", action="open", lesson="stop", question=1)
    assert (await board.next("done", "error"))["type"] == "done"


ENDED = "This poll does not accept answers any more."
VOTED = "You have answered this question in this round."


@pytest.mark.parametrize(
    ("actions", "is_of_the_class", "answers", "error", "stored"),
    [
        ([], True, ["a", "b"], VOTED, ["a"]),
        (["close"], True, ["a"], ENDED, []),
        (["show"], True, ["a"], ENDED, []),
        (["end"], True, ["a"], ENDED, []),
        (["close", "again"], True, ["a"], ENDED, []),  # the vote is for the first round
        ([], False, ["a"], ENDED, []),
    ],
)
async def test_a_poll_counts_one_vote_of_each_student_of_the_class_while_it_is_open(
    monday, board, actions, is_of_the_class, answers, error, stored
):
    ben = await new_student(monday if is_of_the_class else await new_class("Friday"), "Ben")
    await open_poll(board)
    for action in actions:
        await board.say("poll", action=action)
        await board.next("done")
    poll = await models.Poll.objects.aget()
    async with connected_student(ben) as student:
        for answer in answers:
            await student.say("vote", poll=poll.pk, round=1, answer=answer)
        assert (await student.next("error"))["text"] == error
    assert [one.answer async for one in Vote.objects.all()] == stored


DEEP = '{"type": "report", "verdict": ' + '{"a": ' * 100_000 + "1" + "}" * 100_000 + "}"
MALFORMED = {
    "not JSON": '{"type": "hand", "raised": tr',
    "a list": "[]",
    "null": "null",
    "no type": "{}",
    "unknown type": '{"type": "delete"}',
    "type of another type": '{"type": ["hand"]}',
    "a handler's name": '{"type": "room.look"}',
    "wrong type of a value": '{"type": "hand", "raised": 1}',
    "a boolean as integer": '{"type": "report", "sequence": true}',
    "deep nesting": DEEP,
    "nesting": '{"type": "hand", "raised": true, "a": ' + "[" * 50 + "]" * 50 + "}",
    "too long": json.dumps({"type": "hand", "raised": True, "a": "x" * MAX_FRAME}),
    "a long number": '{"type": "hand", "raised": ' + "1" * 5_000 + "}",
    "NaN": json.dumps({"type": "hand", "raised": True, "a": float("nan")}),
}


async def test_a_malformed_frame_is_answered_and_changes_nothing(board, student, monkeypatch):
    monkeypatch.setattr(student_socket, "MAX_BAD_FRAMES", 100)
    for client in (board, student):
        for kind, text in MALFORMED.items():
            await client.send_to(text_data=text)
            assert (await client.next("error", "done"))["type"] == "error", kind
        for data in ({"bytes": b'{"type": "hand"}'}, {"text": ""}):
            await client.send_input({"type": "websocket.receive", **data})
            assert (await client.next("error"))["text"] == "Send JSON in a text frame."
    await student.say("report", **report())
    assert await student.next() == {"type": "acknowledged", "sequence": 1}
    await board.say("message", student=None, text="still here")
    await board.next("done")
    assert (await Student.objects.aget()).hand_raised_at is None


WRONG_REPORTS = {
    "sequence": [0, -1, "1", 1.0, None, True, 2**53 + 1],
    "state": ["done", None, 1, ["red"], "green "],
    "was_green": [1, "true", None],
    "is_read": [0, "", None],
    "hints": [-1, 101, "2", None, 1.5],
    "verdict": [[], "red", 1, True],
    "code": [1, [], {}, True],
    "lesson": ["nothing", "../stop", "", 3, None, ["stop"], "*"],
}


async def test_a_report_with_a_value_that_it_cannot_have_is_not_stored(student, monkeypatch):
    monkeypatch.setattr(student_socket, "MAX_BAD_FRAMES", 100)
    for name, value in [(name, it) for name, all in WRONG_REPORTS.items() for it in all]:
        await student.say("report", **{**report(), name: value})
        assert (await student.next())["type"] == "error", (name, value)
    assert not await Report.objects.aexists()


SHAPES = [
    {"outcomes": None, "problem": 3},
    {"outcomes": [1, None, {"finding": "text"}, {"finding": {"diagnosis": 4}}]},
    {"problem": {"diagnosis": "d" * 1_000, "message": "m" * 1_000}},
]


async def test_a_verdict_of_another_shape_is_stored_and_breaks_no_board(ann, monday):
    for sequence, verdict in enumerate(SHAPES, 1):
        async with connected_student(ann) as student:
            await student.say("report", **report(sequence, verdict=verdict))
            assert await student.next() == {"type": "acknowledged", "sequence": sequence}
        async with board_socket(monday) as board:
            [row] = board.snapshot["students"]
        assert len(row["diagnosis"]) <= 80
        assert len(row["headline"]) <= 300


async def test_texts_that_no_database_can_store_are_stored_with_replacements(monday):
    bad, good = "a\0b\ud800c\U0001f600", "a\ufffdb\ufffdc\U0001f600"
    async with connected_student(await new_student(monday, shares_code=True)) as student:
        await student.say("report", **report(code=bad, verdict={bad: [bad, {"x": bad}]}))
        assert await student.next() == {"type": "acknowledged", "sequence": 1}
    stored = await Report.objects.aget()
    assert (stored.code, stored.verdict) == (good, {good: [good, {"x": good}]})


def frame(sequence, **values) -> str:
    return json.dumps({"type": "report", **report(sequence, **values)})


@pytest.mark.parametrize(
    ("burst", "frames", "code", "stored"),
    [
        (400, ["not JSON"] * 20, 4400, 0),
        (5, [frame(number) for number in range(1, 10)], 4429, 4),  # `hello` was a frame, too
        (5, [frame(1, code="x" * 5 * student_socket.CHARACTERS_PER_FRAME)], 4429, 0),
    ],
    ids=["bad frames", "many frames", "a long frame counts as several"],
)
async def test_closes_a_socket_that_sends_too_much(ann, monkeypatch, burst, frames, code, stored):
    monkeypatch.setattr(student_socket, "BURST", burst)
    monkeypatch.setattr(student_socket, "FRAMES_PER_SECOND", 0)
    async with connected_student(ann) as student:
        for text in frames:
            await student.send_to(text_data=text)
        assert await student.close_code() == code
    assert await Report.objects.acount() == stored
