"""The sockets of a student's workshop and of a board: what both see, and what no frame can do."""

import json

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from lessons.workshop.member.protocol import MAX_FRAME, State, decode
from lessons.workshop.room.consumers import tell_class
from lessons.workshop.room.models import Class, Standing, Student, Vote
from tests.support.room import (
    RoomClient,
    act,
    in_database,
    new_student,
    open_poll,
    opened,
    report,
    room_with_ann,
    session_cookie,
    student_client,
)
from tests.support.standings import standing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def both():
    async with room_with_ann() as clients:
        yield clients


@pytest.fixture
def board(both):
    return both[0]


@pytest.fixture
def student(both):
    return both[1]


async def do(student, /, **action):
    """Let the instructor do this."""
    await in_database(act)(student.school_class.pk, action)
    await tell_class(student.school_class.pk)


def row(frame):
    return frame["students"][0]


# What both see


async def test_a_standing_reaches_the_board(board, student):
    assert board.first["students"][0]["standings"] == {}
    await student.say(**standing(hints=2))
    ann = row(await board.until(lambda frame: row(frame)["standings"]))
    found = ann["standings"]["stop"]
    assert found.pop("at") > ann["joined"]
    assert found == {
        "state": "red",
        "hints": 2,
        "diagnosis": "no-stop-consumer",
        "title": "The consumer did not stop when its client had left",
    }
    assert (ann["name"], ann["lesson"], ann["connected"]) == ("Ann", "stop", True)


async def test_the_last_standing_of_a_lesson_counts_and_the_others_stay(board, student):
    await student.say(**standing())
    await student.say(**standing(lesson="accept"))
    await student.say(**standing(state="green"))
    found = await board.until(
        lambda frame: row(frame)["standings"].get("stop", {}).get("state") == "green"
    )
    assert row(found)["standings"]["accept"]["state"] == "red"
    assert await Standing.objects.acount() == 2


async def test_only_a_change_of_state_or_mistake_is_progress(student):
    await in_database(report)(student.row)
    begun = (await Standing.objects.aget()).changed
    await in_database(report)(student.row, standing(hints=3, code="other"))
    assert (await Standing.objects.aget()).changed == begun
    await in_database(report)(student.row, standing(state="green"))
    assert (await Standing.objects.aget()).changed > begun


async def test_the_board_shows_what_a_student_reads_and_the_raised_hand(board, student):
    await student.say("reading", lesson="group")
    await board.until(lambda frame: row(frame)["lesson"] == "group")
    await student.say("hand", text="Why 1006?")
    assert (await student.until(lambda frame: True))["hand"]
    found = row(await board.until(lambda frame: row(frame)["hand"]))
    assert found["hand"] == "Why 1006?"
    await do(student, type="hand", student=student.row.pk)
    assert not (await student.until(lambda frame: True))["hand"]
    await board.until(lambda frame: row(frame)["hand"] is None)


async def test_messages_reach_one_student_or_all_also_those_who_connect_later(student):
    ben = await in_database(new_student)(student.school_class, "Ben")
    await do(student, type="message", student=None, text="Break")
    await do(student, type="message", student=ben.pk, text="Well done")
    found = await student.until(lambda frame: frame["messages"])
    assert [one["text"] for one in found["messages"]] == ["Break"]
    async with opened(student_client(ben.token)) as other:
        assert [one["text"] for one in other.first["messages"]] == ["Break", "Well done"]


async def test_what_the_instructor_sets_reaches_the_student(student):
    await do(student, type="hold", what="solutions", is_held=True)
    await do(student, type="look", lesson="group", step="do")
    await do(student, type="timer", minutes=10, label="Coffee", is_break=True)
    await do(student, type="today", lessons=["stop", "accept"], start="09:00", factor=1.5)
    found = await student.until(lambda frame: frame["today"])
    assert isinstance(decode(json.dumps(found), State), State)  # a workshop accepts it
    assert found["held"] == ["solutions"]
    del found["look"]["id"]
    assert found["look"] == {"lesson": "group", "fragment": "#do", "detail": ", Do"}
    assert 590 < found["timer"].pop("seconds") <= 600
    assert found["timer"] == {"label": "Coffee", "is_break": True}
    assert found["today"] == ["accept", "stop"]


async def test_the_class_votes_on_a_question_and_the_board_counts_who_is_there(board, student):
    await in_database(new_student)(student.school_class, "Ben")  # who is not connected
    poll = await in_database(open_poll)(student.school_class)
    await tell_class(student.school_class.pk)
    assert (await student.until(lambda frame: frame["poll"]))["poll"]["voted"] is None
    await student.say("vote", poll=poll, round=1, answer="yes")
    assert (await student.until(lambda frame: True))["poll"]["voted"] == "yes"
    found = await board.until(lambda frame: frame["poll"] and frame["poll"]["votes"])
    assert (found["poll"]["votes"], found["poll"]["students"]) == (1, 1)


async def test_a_student_is_connected_as_long_as_one_socket_is_open(board, student):
    async with opened(student_client(student.row.token)):
        pass
    await board.until(lambda frame: row(frame)["connected"])
    await student.disconnect()
    await board.until(lambda frame: not row(frame)["connected"])


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
async def test_rejects_a_student_without_a_valid_token(name, value, student):
    _, session = await in_database(session_cookie)()  # of an instructor
    value = value.replace(b"TOKEN", student.row.token.encode()).replace(b"SESSION", session)
    assert not await RoomClient("/room/student/", [(name, value)]).open()
    assert student.row.token != student.row.token_digest


@pytest.mark.parametrize("change", ["log out", "no staff any more", "inactive", "new password"])
async def test_closes_a_board_whose_user_has_lost_the_right(board, student, change):
    user = await User.objects.aget()
    if change == "log out":
        await Session.objects.all().adelete()
    elif change == "new password":
        user.set_password("other")
    user.is_staff = change != "no staff any more"
    user.is_active = change != "inactive"
    await user.asave()
    await student.say(**standing())
    assert await board.close_code() == 4401


async def test_a_removed_student_and_a_deleted_class_close_their_sockets(board, student):
    ben = await in_database(new_student)(student.school_class, "Ben")
    async with opened(student_client(ben.token)) as other:
        await do(student, type="remove", student=ben.pk)
        assert await other.close_code() == 4401
    assert not await student_client(ben.token).open()
    class_id = student.school_class.pk
    await student.school_class.adelete()
    await tell_class(class_id)
    assert await student.close_code() == 4404
    assert await board.close_code() == 4404


async def test_a_standing_of_a_student_who_was_just_removed_closes_the_socket(student):
    await Student.objects.all().adelete()
    await student.say(**standing())
    assert await student.close_code() == 4401


# What a frame cannot do


async def test_a_forged_student_in_a_frame_changes_nothing(student):
    ben = await in_database(new_student)(student.school_class, "Ben")
    forged = {"student": ben.pk, "student_id": ben.pk, "name": "Ben"}
    await student.say(**standing(), **forged)
    await student.say("hand", text="", **forged)
    await student.until(lambda frame: frame["hand"])
    assert (await Standing.objects.aget()).student_id == student.row.pk
    assert (await Student.objects.aget(hand__isnull=False)).pk == student.row.pk


async def test_a_class_sees_nothing_of_another_class(student):
    friday = await Class.objects.acreate(name="Friday")
    ben = await in_database(new_student)(friday, "Ben")
    await do(student, type="message", student=None, text="for Monday")
    async with opened(student_client(ben.token)) as other:
        assert other.first["messages"] == []
        assert (await student.until(lambda frame: frame["messages"]))["messages"]
        poll = await in_database(open_poll)(student.school_class)
        await other.say("vote", poll=poll, round=1, answer="yes")
        assert (await other.until(lambda _: True))["poll"] is None
    assert not await Vote.objects.aexists()


@pytest.mark.parametrize(
    ("actions", "answers", "voted"),
    [
        ([], ["yes", "no"], "yes"),
        ([], ["maybe"], None),
        (["close"], ["yes"], None),
        (["show"], ["yes"], None),
        (["close", "again"], ["yes"], None),  # the vote is for the first round
    ],
)
async def test_a_student_votes_once_while_a_question_is_open(student, actions, answers, voted):
    poll = await in_database(open_poll)(student.school_class)
    for action in actions:
        await do(student, type="poll", action=action)
    for answer in answers:
        await student.say("vote", poll=poll, round=1, answer=answer)
    await student.say("hand", text="")
    found = await student.until(lambda frame: frame["hand"])
    assert found["poll"]["voted"] == voted
    assert await Vote.objects.acount() == (voted is not None)


MALFORMED = [
    *('{"type": "hand", "text": tr', "[]", "null", "{}", '{"type": "delete"}'),
    *('{"type": ["hand"]}', '{"type": "class.changed"}', '{"type": "vote", "poll": NaN}'),
    json.dumps({"type": "hand", "text": "x" * 201}),
    json.dumps({"type": "hand", "text": "x" * MAX_FRAME}),
    '{"type": "vote", "poll": ' + "1" * 5_000 + "}",
    '{"type": "standing", "claims": ' + "[" * 100_000 + "]" * 100_000 + "}",
]
WRONG_VALUES = {
    "state": ["done", None, ["red"]],
    "hints": [-1, 101, 1.5, True],
    "claims": [None, [{"claim": "It ends."}], [{}] * 41],
    "code": ["x" * 20_001],
    "lesson": [3, None, ["stop"]],
}


async def test_a_frame_that_is_not_valid_changes_nothing(student):
    wrong = [standing(**{name: it}) for name, all in WRONG_VALUES.items() for it in all]
    for text in [*MALFORMED, *map(json.dumps, wrong)]:
        await student.send_to(text_data=text)
    await student.say("hand", text="")
    await student.until(lambda frame: frame["hand"])
    assert not await Standing.objects.aexists()


async def test_a_lesson_that_the_room_does_not_know_is_left_out(board, student):
    for slug in ("of a later version", "../stop", "", "*", "stop"):
        await student.say(**standing(lesson=slug))
    await board.until(lambda frame: row(frame)["standings"])
    assert (await Standing.objects.aget()).lesson == "stop"
