"""Attacks on the sockets of the room: who may connect, and what a frame cannot do."""

import json
import time

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from lessons.workshop.member import room_frames
from lessons.workshop.member.protocol import MAX_ANSWER, MAX_ANSWERS, MAX_FRAME, MAX_ROUNDS
from lessons.workshop.room import models, student_socket
from lessons.workshop.room.models import AccessToken, Announcement, Class, Report, Student, Vote
from lessons.workshop.room.store import classes
from tests.support.room import (
    TIMEOUT,
    board_client,
    board_socket,
    messages_about,
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
    "headers",
    [
        [],
        [(b"authorization", b"")],
        [(b"authorization", b"Bearer ")],
        [(b"authorization", b"Bearer wrong")],
        [(b"authorization", b"Bearer \xff\x00")],
        [(b"authorization", b"Basic TOKEN")],
        [(b"cookie", b"token=TOKEN")],
    ],
)
async def test_rejects_a_student_without_a_valid_token(headers):
    ann = await new_student(await new_class())
    given = [(name, value.replace(b"TOKEN", ann.token.encode())) for name, value in headers]
    assert not await Client("/room/student/", given).open()


async def test_rejects_a_student_with_an_instructors_session_and_no_token():
    cookie = await session_cookie()
    assert not await Client("/room/student/", [cookie]).open()


async def test_the_database_holds_no_token_and_no_place_code():
    ann = await new_student(await new_class())
    digests = [(await AccessToken.objects.aget()).digest, ann.student.place_digest]
    assert ann.token not in digests
    assert ann.place not in digests


@pytest.mark.parametrize("origin", [b"http://evil.test", b"null", b"http://localhost.evil.test"])
async def test_rejects_another_sites_page_at_both_sockets(origin):
    school_class = await new_class()
    ann = await new_student(school_class)
    assert not await student_client(ann.token, (b"origin", origin)).open()
    assert not await board_client(school_class, await session_cookie(), origin).open()


async def test_accepts_the_rooms_own_page_at_both_sockets():
    school_class = await new_class()
    ann = await new_student(school_class)
    own = b"http://localhost"
    clients = [
        student_client(ann.token, (b"origin", own)),
        board_client(school_class, await session_cookie(), own),
    ]
    for client in clients:
        assert await client.open()
        await client.disconnect()


async def test_rejects_a_page_under_a_rebound_host_name():
    """Its Origin and its Host agree, but the name is not the room's."""
    school_class = await new_class()
    cookie = await session_cookie()
    headers = [cookie, (b"origin", b"http://evil.test")]
    client = Client(f"/ws/room/board/{school_class.pk}/", headers)
    client.scope["headers"] = [(b"host", b"evil.test"), *headers]
    assert not await client.open()


async def first_event(board) -> dict:
    """What a board receives first after the accept."""
    assert await board.open()
    event = await board.receive_output(TIMEOUT)
    await board.disconnect()
    return event


NOT_LOGGED_IN = {"type": "websocket.close", "code": 4401}


async def test_sends_a_board_without_login_or_without_staff_rights_4401_and_nothing_else():
    school_class = await new_class()
    cookies = [
        (b"cookie", b""),
        (b"cookie", b"sessionid=wrong"),
        await session_cookie("eve", is_staff=False),
    ]
    for cookie in cookies:
        assert await first_event(board_client(school_class, cookie)) == NOT_LOGGED_IN


async def test_does_nothing_for_a_board_that_has_never_logged_in():
    school_class = await new_class()
    board = board_client(school_class, (b"cookie", b""))
    assert await board.open()
    await board.say("message", student=None, text="mine")
    assert await board.close_code() == 4401
    assert await board.receive_nothing()
    await board.disconnect()
    assert not await Announcement.objects.aexists()


async def test_sends_a_board_with_a_students_token_4401_and_nothing_else():
    school_class = await new_class()
    ann = await new_student(school_class)
    token = (b"authorization", f"Bearer {ann.token}".encode())
    assert await first_event(board_client(school_class, token)) == NOT_LOGGED_IN


@pytest.mark.parametrize("change", ["log out", "no staff any more", "inactive", "new password"])
async def test_closes_a_board_whose_user_has_lost_the_right(change, monkeypatch):
    monkeypatch.setattr("lessons.workshop.room.board_socket.REREAD_INTERVAL", 0.01)
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


async def test_closes_a_logged_out_board_even_while_messages_arrive(monkeypatch):
    monkeypatch.setattr("lessons.workshop.room.board_socket.REREAD_INTERVAL", 0.1)
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, messages_about(ann.student):
        await Session.objects.all().adelete()
        assert await board.close_code() == 4401


async def test_does_nothing_for_a_board_whose_session_has_ended():
    school_class = await new_class()
    async with board_socket(school_class) as board:
        await Session.objects.all().adelete()
        await board.say("message", student=None, text="late")
        assert await board.close_code() == 4401
    assert not await Announcement.objects.aexists()


async def test_closes_all_sockets_of_a_deleted_class(monkeypatch):
    monkeypatch.setattr("lessons.workshop.room.board_socket.REREAD_INTERVAL", 0.01)
    monkeypatch.setattr(student_socket, "REREAD_INTERVAL", 0.01)
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, connected_student(ann) as student:
        await database_sync_to_async(classes.delete_class)(school_class)
        assert await student.close_code() == 4404
        assert await board.close_code() == 4404


async def test_closes_the_socket_of_a_student_who_was_removed():
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, connected_student(ann) as student:
        await board.say("remove", student=ann.student.pk)
        assert await student.close_code() == 4401
        assert (await board.next("gone"))["students"] == [ann.student.pk]
    assert not await student_client(ann.token).open()


async def test_a_report_that_arrives_after_the_removal_is_not_acknowledged(monkeypatch):
    ann = await new_student(await new_class())
    async with connected_student(ann) as student:
        await Student.objects.all().adelete()
        await student.say("report", **report())
        assert await student.close_code() == 4401


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


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "message", "text": "Hello"},
        {"type": "hand", "raised": False},
        {"type": "remove"},
    ],
)
async def test_a_board_cannot_reach_a_student_of_another_class(frame):
    monday, friday = await new_class(), await new_class("Friday")
    ann = await new_student(friday)
    async with board_socket(monday) as board:
        await board.say(**frame, student=ann.student.pk)
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


async def test_a_message_to_one_student_reaches_no_other():
    school_class = await new_class()
    ann, ben = await new_student(school_class), await new_student(school_class, "Ben")
    async with board_socket(school_class) as board, connected_student(ann) as student:
        await board.say("message", student=ben.student.pk, text="for Ben")
        await board.next("done")
        await student.say("hand", raised=True)
        assert (await student.next())["type"] == "state"


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


async def shown_poll(school_class, answers, round=1) -> None:
    """A poll whose answer is shown. In each round the first answer has two votes, others one."""
    poll = await models.Poll.objects.acreate(
        school_class=school_class, lesson="stop", question=1, round=round, state="shown"
    )
    students = [
        Student(school_class=school_class, name=str(one), name_key=str(one), number=one + 2)
        for one in range(len(answers) + 1)
    ]
    await Student.objects.abulk_create(students)
    votes = [(answers[0], students[-1]), *zip(answers, students, strict=False)]
    await Vote.objects.abulk_create(
        Vote(poll=poll, student=student, round=number + 1, answer=answer)
        for number in range(round)
        for answer, student in votes
    )


async def test_a_poll_with_too_many_answers_shows_students_the_most_frequent_ones():
    school_class = await new_class()
    ann = await new_student(school_class)
    await shown_poll(school_class, [str(one) for one in range(MAX_ANSWERS + 1)][::-1])
    async with connected_student(ann) as student:
        poll = room_frames.class_state(student.welcome["state"]).poll
    assert len(poll["rounds"][0]) == MAX_ANSWERS
    assert next(iter(poll["rounds"][0].items())) == (str(MAX_ANSWERS), 2)


async def test_a_poll_with_long_answers_in_every_round_fits_into_one_frame():
    school_class = await new_class()
    ann = await new_student(school_class)
    answers = ["\U0001f600" * (MAX_ANSWER - 2) + str(one) for one in range(30)]
    await shown_poll(school_class, answers, MAX_ROUNDS)
    async with connected_student(ann) as student:
        room_frames.parse_frame(json.dumps(student.welcome))
        assert all(student.welcome["state"]["poll"]["rounds"])


async def test_refuses_another_round_of_a_poll_at_the_limit():
    school_class = await new_class()
    await shown_poll(school_class, ["a"], MAX_ROUNDS)
    async with board_socket(school_class) as board:
        await board.say("poll", action="again")
        assert "rounds at most" in (await board.next("error", "done"))["text"]


@pytest.mark.parametrize("lesson", ["nothing", "../stop", "", 3, None, ["stop"], "*"])
async def test_a_report_for_an_unknown_lesson_is_refused_with_its_sequence(lesson):
    ann = await new_student(await new_class())
    async with connected_student(ann) as student:
        await student.say("report", **report(5, lesson=lesson))
        assert await student.next() == {
            "type": "error",
            "text": "`lesson` must be the slug of a lesson, such as stop.",
            "sequence": 5,
        }
    assert not await Report.objects.aexists()


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


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_frame_is_answered_and_changes_nothing(kind):
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, connected_student(ann) as student:
        for client in (board, student):
            await client.send_to(text_data=MALFORMED[kind])
            assert (await client.next("error", "done"))["type"] == "error"
        await student.say("report", **report())
        assert await student.next() == {"type": "acknowledged", "sequence": 1}
        await board.say("message", student=None, text="still here")
        await board.next("done")
    assert (await Student.objects.aget()).hand_raised_at is None


async def test_a_binary_or_empty_frame_is_answered_with_an_error():
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, connected_student(ann) as student:
        for client in (board, student):
            await client.send_to(bytes_data=b'{"type": "hand"}')
            assert (await client.next("error"))["text"] == "Send JSON in a text frame."
            await client.send_input({"type": "websocket.receive", "text": ""})
            assert (await client.next("error"))["text"] == "Send JSON in a text frame."


WRONG_REPORTS = {
    "sequence": [0, -1, "1", 1.0, None, True, 2**53 + 1],
    "state": ["done", None, 1, ["red"], "green "],
    "was_green": [1, "true", None],
    "is_read": [0, "", None],
    "hints": [-1, 101, "2", None, 1.5],
    "verdict": [[], "red", 1, True],
    "code": [1, [], {}, True],
}
WRONG = [(name, value) for name, values in WRONG_REPORTS.items() for value in values]


@pytest.mark.parametrize("name, value", WRONG, ids=map(str, WRONG))
async def test_a_report_with_a_value_of_another_type_is_not_stored(name, value):
    ann = await new_student(await new_class())
    async with connected_student(ann) as student:
        await student.say("report", **{**report(), name: value})
        assert (await student.next())["type"] == "error"
    assert not await Report.objects.aexists()


@pytest.mark.parametrize(
    "verdict",
    [
        {},
        {"outcomes": None, "problem": 3},
        {"outcomes": [1, None, {"finding": "text"}, {"finding": {"diagnosis": 4}}]},
        {"outcomes": {"a": 1}},
        {"problem": {"diagnosis": "d" * 1_000, "message": "m" * 1_000}},
    ],
)
async def test_a_verdict_of_another_shape_is_stored_and_breaks_no_board(verdict):
    school_class = await new_class()
    ann = await new_student(school_class)
    async with connected_student(ann) as student:
        await student.say("report", **report(verdict=verdict))
        assert await student.next() == {"type": "acknowledged", "sequence": 1}
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


async def test_a_hostile_device_name_is_only_a_name():
    ann = await new_student(await new_class())
    device = "'; DROP TABLE room_report; --"
    async with connected_student(ann, device) as student:
        await student.say("report", **report())
        assert await student.next() == {"type": "acknowledged", "sequence": 1}
    assert (await Report.objects.aget()).device == device


@pytest.mark.parametrize("hello", [{"device": "", "after": 0}, {"device": "x" * 65, "after": 0}])
async def test_a_device_needs_a_name_of_usual_length(hello):
    client = student_client((await new_student(await new_class())).token)
    assert await client.open()
    await client.say("hello", **hello)
    assert (await client.next())["type"] == "error"
    await client.disconnect()


async def test_closes_with_4400_if_another_frame_comes_before_hello():
    client = student_client((await new_student(await new_class())).token)
    assert await client.open()
    await client.say("report", **report())
    assert await client.close_code() == 4400
    await client.disconnect()
    assert not await Report.objects.aexists()


async def test_closes_with_4400_after_twenty_bad_frames():
    ann = await new_student(await new_class())
    async with connected_student(ann) as student:
        for _ in range(20):
            await student.send_to(text_data="bad")
        assert await student.close_code() == 4400


async def test_closes_with_4429_and_stores_no_more_if_a_student_sends_too_fast(monkeypatch):
    monkeypatch.setattr(student_socket, "BURST", 5)
    monkeypatch.setattr(student_socket, "FRAMES_PER_SECOND", 0)
    ann = await new_student(await new_class())
    async with connected_student(ann) as student:
        for sequence in range(1, 10):
            await student.say("report", **report(sequence))
        assert await student.close_code() == 4429
    assert await Report.objects.acount() == 4  # `hello` was a frame, too


async def test_a_long_frame_counts_as_several(monkeypatch):
    monkeypatch.setattr(student_socket, "BURST", 5)
    monkeypatch.setattr(student_socket, "FRAMES_PER_SECOND", 0)
    ann = await new_student(await new_class())
    async with connected_student(ann) as student:
        await student.say("report", **report(code="x" * 5 * student_socket.CHARACTERS_PER_FRAME))
        assert await student.close_code() == 4429


async def test_deleting_a_class_leaves_nothing_of_it():
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
        for model in (Class, Student, AccessToken, Report, models.Standing, Announcement):
            assert not await model.objects.aexists()
        for model in (models.Poll, Vote, models.Presence):
            assert not await model.objects.aexists()


async def test_a_board_that_reads_slowly_receives_one_frame_for_many_reports(monkeypatch):
    interval = 0.5
    monkeypatch.setattr("lessons.workshop.room.board_socket.FRAME_INTERVAL", interval)
    school_class = await new_class()
    ann = await new_student(school_class)
    began = time.monotonic()
    async with board_socket(school_class) as board, connected_student(ann) as student:
        for sequence in range(1, 51):
            await student.say("report", **report(sequence))
        for _ in range(50):
            await student.next("acknowledged")
        frames, shown, stored = 0, 0, (await Student.objects.aget()).version
        while shown < stored:
            shown = (await board.next("rows"))["students"][0]["version"]
            frames += 1
        assert frames <= 1 + (time.monotonic() - began) / interval
