"""Attacks on the sockets of the room: who may connect, and what a frame cannot do."""

import json

import pytest
from channels.db import database_sync_to_async
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
REREAD = "lessons.workshop.room.board_socket.REREAD_INTERVAL"


# Who may connect


@pytest.mark.parametrize(
    "header",
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
async def test_rejects_a_student_without_a_valid_token(header):
    ann = await new_student(await new_class())
    name, value = header
    if value == b"SESSION":  # of an instructor
        name, value = await session_cookie()
    value = value.replace(b"TOKEN", ann.token.encode())
    assert not await Client("/room/student/", [(name, value)]).open()


async def test_the_database_holds_no_token_and_no_place_code():
    ann = await new_student(await new_class())
    digests = [(await AccessToken.objects.aget()).digest, ann.student.place_digest]
    assert ann.token not in digests
    assert ann.place not in digests


@pytest.mark.parametrize(
    ("origin", "is_accepted"),
    [
        (b"http://localhost", True),
        (b"http://evil.test", False),
        (b"null", False),
        (b"http://localhost.evil.test", False),
    ],
)
async def test_both_sockets_accept_only_a_page_of_the_room(origin, is_accepted):
    school_class = await new_class()
    ann = await new_student(school_class)
    for client in (
        student_client(ann.token, (b"origin", origin)),
        board_client(school_class, await session_cookie(), origin),
    ):
        assert await client.open() is is_accepted
        if is_accepted:
            await client.disconnect()


async def test_rejects_a_page_under_a_rebound_host_name():
    """Its Origin and its Host agree, but the name is not the room's."""
    school_class = await new_class()
    cookie = await session_cookie()
    headers = [cookie, (b"origin", b"http://evil.test")]
    client = Client(f"/ws/room/board/{school_class.pk}/", headers)
    client.scope["headers"] = [(b"host", b"evil.test"), *headers]
    assert not await client.open()


@pytest.mark.parametrize("known_by", ["nothing", "a wrong cookie", "no staff", "a student's token"])
async def test_a_board_without_a_login_of_staff_receives_4401_and_changes_nothing(known_by):
    school_class = await new_class()
    ann = await new_student(school_class)
    header = {
        "nothing": (b"cookie", b""),
        "a wrong cookie": (b"cookie", b"sessionid=wrong"),
        "no staff": await session_cookie("eve", is_staff=False),
        "a student's token": (b"authorization", f"Bearer {ann.token}".encode()),
    }[known_by]
    board = board_client(school_class, header)
    assert await board.open()
    await board.say("message", student=None, text="mine")
    assert await board.receive_output(TIMEOUT) == {"type": "websocket.close", "code": 4401}
    assert await board.receive_nothing()
    await board.disconnect()
    assert not await Announcement.objects.aexists()


@pytest.mark.parametrize("change", ["log out", "no staff any more", "inactive", "new password"])
async def test_closes_a_board_whose_user_has_lost_the_right(change, monkeypatch):
    monkeypatch.setattr(REREAD, 0.01)
    school_class = await new_class()
    async with board_socket(school_class) as board:
        user = await User.objects.aget()
        if change == "log out":
            await Session.objects.all().adelete()
        elif change == "new password":
            user.set_password("other")
        user.is_staff = change != "no staff any more"
        user.is_active = change != "inactive"
        await user.asave()
        assert await board.close_code() == 4401


async def test_does_nothing_for_a_board_whose_session_has_ended():
    school_class = await new_class()
    async with board_socket(school_class) as board:
        await Session.objects.all().adelete()
        await board.say("message", student=None, text="late")
        assert await board.close_code() == 4401
    assert not await Announcement.objects.aexists()


async def test_deleting_a_class_leaves_nothing_of_it_and_closes_its_sockets(monkeypatch):
    monkeypatch.setattr(REREAD, 0.01)
    monkeypatch.setattr(student_socket, "REREAD_INTERVAL", 0.01)
    school_class = await new_class()
    ann = await new_student(school_class, shares_code=True)
    async with board_socket(school_class) as board, connected_student(ann) as student:
        await open_poll(board)
        poll = (await student.next("state"))["poll"]["id"]
        await student.say("vote", poll=poll, round=1, answer="a")
        await student.say("report", **report(code="mine"))
        await student.next("acknowledged")
        await board.say("message", student=ann.student.pk, text="Hello")
        await board.next("done")
        await database_sync_to_async(classes.delete_class)(school_class)
        assert await student.close_code() == 4404
        assert await board.close_code() == 4404
    for model in (Class, Student, AccessToken, Report, models.Standing, Announcement):
        assert not await model.objects.aexists()
    for model in (models.Poll, Vote, models.Presence):
        assert not await model.objects.aexists()


async def test_closes_the_socket_of_a_student_who_was_removed():
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, connected_student(ann) as student:
        await board.say("remove", student=ann.student.pk)
        assert await student.close_code() == 4401
        assert (await board.next("gone"))["students"] == [ann.student.pk]
    assert not await student_client(ann.token).open()


# What a frame cannot do


async def test_a_forged_student_in_a_frame_changes_nothing():
    school_class = await new_class()
    ann, ben = await new_student(school_class), await new_student(school_class, "Ben")
    async with connected_student(ann) as student:
        forged = {"student": ben.student.pk, "student_id": ben.student.pk, "name": "Ben"}
        await student.say("report", **report(), **forged)
        await student.next("acknowledged")
        await student.say("hand", raised=True, **forged)
        await student.next("state")
    assert (await Report.objects.aget()).student_id == ann.student.pk
    raised = Student.objects.filter(hand_raised_at__isnull=False)
    assert [one.pk async for one in raised] == [ann.student.pk]


ACTIONS = [{"type": "message", "text": "Hi"}, {"type": "hand", "raised": False}, {"type": "remove"}]


async def test_a_board_cannot_reach_a_student_of_another_class():
    monday, friday = await new_class(), await new_class("Friday")
    ann = await new_student(friday)
    async with board_socket(monday) as board:
        for action in ACTIONS:
            await board.say(**action, student=ann.student.pk)
            assert (await board.next("error"))["text"] == "This class has no such student."
    assert await Student.objects.acount() == 1
    assert not await Announcement.objects.aexists()


async def test_a_class_sees_nothing_of_another_class():
    monday, friday = await new_class(), await new_class("Friday")
    ann, ben = await new_student(monday), await new_student(friday, "Ben")
    async with board_socket(monday) as board, connected_student(ben) as student:
        assert [row["name"] for row in board.snapshot["students"]] == ["Ann"]
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


async def test_a_student_votes_once_in_a_round():
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, connected_student(ann) as student:
        await open_poll(board)
        poll = (await student.next("state"))["poll"]["id"]
        for answer in ("a", "b"):
            await student.say("vote", poll=poll, round=1, answer=answer)
        error = (await student.next("error"))["text"]
        assert error == "You have answered this question in this round."
    assert [one.answer async for one in Vote.objects.all()] == ["a"]


@pytest.mark.parametrize("action", ["close", "show", "end", "again", "another class"])
async def test_a_poll_that_is_not_open_counts_no_vote(action):
    school_class = await new_class()
    ann = await new_student(school_class)
    if action == "another class":
        ann = await new_student(await new_class("Friday"))
    async with board_socket(school_class) as board, connected_student(ann) as student:
        await open_poll(board)
        for one in {"again": ["close", "again"], "another class": []}.get(action, [action]):
            await board.say("poll", action=one)
            await board.next("done")
        poll = await models.Poll.objects.aget()
        await student.say("vote", poll=poll.pk, round=1, answer="a")
        error = (await student.next("error"))["text"]
    assert error == "This poll does not accept answers any more."
    assert not await Vote.objects.aexists()


DEEP = '{"type": "report", "verdict": ' + '{"a": ' * 100_000 + "1" + "}" * 100_000 + "}"
MALFORMED = {
    "not JSON": "hello",
    "cut": '{"type": "hand", "raised": tr',
    "a list": "[]",
    "a number": "1",
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
    "infinite": '{"type": "hand", "raised": true, "a": 1e999}',
}


async def test_a_malformed_frame_is_answered_and_changes_nothing(monkeypatch):
    monkeypatch.setattr(student_socket, "MAX_BAD_FRAMES", 100)
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, connected_student(ann) as student:
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


@pytest.mark.parametrize("name", WRONG_REPORTS)
async def test_a_report_with_a_value_that_it_cannot_have_is_not_stored(name):
    ann = await new_student(await new_class())
    async with connected_student(ann) as student:
        for value in WRONG_REPORTS[name]:
            await student.say("report", **{**report(), name: value})
            assert (await student.next())["type"] == "error", value
    assert not await Report.objects.aexists()


SHAPES = [
    {},
    {"outcomes": None, "problem": 3},
    {"outcomes": [1, None, {"finding": "text"}, {"finding": {"diagnosis": 4}}]},
    {"outcomes": {"a": 1}},
    {"problem": {"diagnosis": "d" * 1_000, "message": "m" * 1_000}},
]


async def test_a_verdict_of_another_shape_is_stored_and_breaks_no_board():
    school_class = await new_class()
    ann = await new_student(school_class)
    for sequence, verdict in enumerate(SHAPES, 1):
        async with connected_student(ann) as student:
            await student.say("report", **report(sequence, verdict=verdict))
            assert await student.next() == {"type": "acknowledged", "sequence": sequence}
        async with board_socket(school_class) as board:
            [row] = board.snapshot["students"]
        assert len(row["diagnosis"]) <= 80
        assert len(row["headline"]) <= 300


async def test_texts_that_no_database_can_store_are_stored_with_replacements():
    ann = await new_student(await new_class(), shares_code=True)
    bad, good = "a\0b\ud800c\U0001f600", "a\ufffdb\ufffdc\U0001f600"
    async with connected_student(ann) as student:
        await student.say("report", **report(code=bad, verdict={bad: [bad, {"x": bad}]}))
        assert await student.next() == {"type": "acknowledged", "sequence": 1}
    stored = await Report.objects.aget()
    assert (stored.code, stored.verdict) == (good, {good: [good, {"x": good}]})


@pytest.mark.parametrize(
    ("burst", "sizes", "code", "stored"),
    [
        (400, [None] * 20, 4400, 0),  # frames that are not JSON
        (5, [0] * 9, 4429, 4),  # `hello` was a frame, too
        (5, [5 * student_socket.CHARACTERS_PER_FRAME], 4429, 0),  # it counts as several
    ],
    ids=["bad frames", "many frames", "a long frame"],
)
async def test_closes_a_socket_that_sends_too_much(monkeypatch, burst, sizes, code, stored):
    monkeypatch.setattr(student_socket, "BURST", burst)
    monkeypatch.setattr(student_socket, "FRAMES_PER_SECOND", 0)
    ann = await new_student(await new_class())
    async with connected_student(ann) as student:
        for sequence, size in enumerate(sizes, 1):
            if size is None:
                await student.send_to(text_data="bad")
            else:
                await student.say("report", **report(sequence, code="x" * size))
        assert await student.close_code() == code
    assert await Report.objects.acount() == stored
