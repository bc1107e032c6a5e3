"""The room over HTTP: joining a class, the instructor's pages and actions, the export."""

import csv
import io
import json
import time
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from lessons.extras import login_throttle
from lessons.workshop.room import rejudge
from lessons.workshop.room.joining import student_of
from lessons.workshop.room.models import Class, Student, Vote
from lessons.workshop.room.state import board, timer_of
from lessons.workshop.room.student_page import MAX_LENGTH, MAX_LINES, code_lines
from tests.support.room import (
    INSTRUCTOR,
    PASSWORD,
    act,
    logged_in,
    new_student,
    open_poll,
    report,
    vote,
)
from tests.support.standings import standing

pytestmark = pytest.mark.django_db
MARKUP = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def one_window(monkeypatch):
    """All guesses of a test are in the same minute, whatever the time is."""
    monkeypatch.setattr(login_throttle, "time", SimpleNamespace(time=lambda: 1_000_020.0))


@pytest.fixture
def monday():
    return Class.objects.create(name="Monday")


@pytest.fixture
def ann(monday):
    return new_student(monday)


@pytest.fixture
def instructor():
    return logged_in()


# Joining


def ask(code, **wish):
    """The response to a request to join."""
    body = {"code": code, "name": "Ann", **wish}
    return Client().post("/room/join/", body, content_type="application/json")


def test_a_new_student_gets_a_token_and_the_lessons_of_today(monday):
    act(monday.pk, {"type": "today", "lessons": ["stop"], "start": "09:00"})
    answer = ask(monday.code, name=" Ann  B. ").json()
    assert set(answer) == {"token", "name", "class", "today"}
    assert (answer["name"], answer["class"], answer["today"]) == ("Ann B.", "Monday", ["stop"])
    assert student_of(answer["token"]).name == "Ann B."


def test_accepts_a_code_typed_without_care_and_a_name_in_any_script():
    Class.objects.create(name="Monday", code="K7QM-3XTD")
    for code, name in zip(
        ("k7qm-3xtd", "K7QM3XTD", " k7qm 3xtd ", "K7QM-3XTD", "K7QM-3XTD"),
        ("José", "李", "عمر", "O'Brien-S.", "<b>x"),
        strict=True,
    ):
        assert ask(code, name=name).status_code == 200


def test_two_students_share_no_name(monday, ann):
    for name in ("Ann", "ann", "\uff21\uff4e\uff4e"):
        answer = ask(monday.code, name=name)
        assert (answer.status_code, answer.json()["field"]) == (400, "name")
    assert Student.objects.count() == 1


INVISIBLE = ["\u200b", "A\u200bnn", "A\u202enn", "\ufeffAnn", "A\u2066nn", "A\x00nn"]
BAD_NAMES = ["", "A" * 41, "A" * 3_000, "...", "\u0301", "😀", "\ud800", 3, ["Ann"], *INVISIBLE]


@pytest.mark.parametrize(
    "body",
    [
        *(json.dumps({"code": "K7QM-3XTD", "name": name}) for name in BAD_NAMES),
        *(b"", b"[]", b"\xff\xfe", b"{}", b'{"code": null}', b'{"a": ' * 2_000),
        b'{"code": "' + b"A" * 41 + b'", "name": "Ann"}',
    ],
)
def test_refuses_a_malformed_request_and_a_name_that_is_too_long_or_cannot_be_seen(body):
    answer = Client().post("/room/join/", body, content_type="application/json")
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)
    assert not Student.objects.exists()


def test_joining_needs_post_sets_no_cookie_and_is_never_cached(monday, instructor):
    """So it can do without a CSRF token: another site gains nothing from a user's browser."""
    assert instructor.get("/room/join/").status_code == 405
    body = {"code": monday.code, "name": "Ann"}
    answer = instructor.post("/room/join/", body, content_type="application/json")
    assert (answer.status_code, answer.cookies) == (200, {})
    assert "no-store" in answer["Cache-Control"]


# Who may see the pages


def all_pages(found, student):
    """Every page of an instructor."""
    names = ("board", "slide", "act", "export", "delete")
    return [
        *(reverse("room_classes"), reverse("room_course", args=["stop"])),
        *(reverse(f"room_{name}", args=[found.pk]) for name in names),
        *(reverse(f"room_{name}", args=[student.pk, "stop"]) for name in ("student", "judge")),
    ]


def test_a_page_sends_every_client_that_is_not_staff_to_the_login(monday, ann):
    user = logged_in(is_staff=False)
    for path in all_pages(monday, ann):
        answer = Client(headers={"Authorization": f"Bearer {ann.token}"}).get(path)
        assert (answer.status_code, answer.url) == (302, f"/room/log-in/?next={path}")
        assert user.get(path).url == user.post(path).url == answer.url, path


def test_every_page_has_the_policy_that_runs_no_inline_script_of_a_name(instructor):
    found = Class.objects.create(name="<script>x</script>")
    for path in all_pages(found, new_student(found)):
        answer = instructor.get(path)
        assert "script-src 'self';" in answer["Content-Security-Policy"], path
        assert b"<script>x" not in answer.content, path


def test_what_does_not_exist_is_404_in_the_rooms_style(instructor):
    for path in ("board/99/", "board/99/slide/", "board/99/export/", "student/99/stop/", "none/"):
        answer = instructor.get(f"/room/{path}")
        assert answer.status_code == 404
        assert "The room has no such page." in answer.content.decode()


def test_only_staff_sign_in_and_come_to_the_page_that_they_asked_for(monday):
    path = reverse("room_board", args=[monday.pk])
    logged_in(), logged_in(is_staff=False)
    account = {"username": INSTRUCTOR, "password": PASSWORD}
    login = Client().get(path).url
    assert Client().post(login, account).url == path
    refused = Client().post(login, {**account, "username": "user of these tests"})
    assert "staff account" in refused.content.decode()


def test_the_login_of_instructors_is_limited(client):
    data = {"username": "instructor", "password": "wrong"}
    pages = [client.post("/room/log-in/", data).content.decode() for _ in range(11)]
    assert ["Too many attempts to log in." in page for page in pages[9:]] == [False, True]


# Classes


def test_a_new_class_opens_its_board(instructor):
    answer = instructor.post(reverse("room_classes"), {"name": " Tuesday "})
    created = Class.objects.get()
    assert (created.name, answer.url) == ("Tuesday", reverse("room_board", args=[created.pk]))


def test_a_name_that_no_class_can_have_is_refused_with_the_reason(instructor, monday):
    for name in ("", "x" * 81, "Monday"):
        answer = instructor.post(reverse("room_classes"), {"name": name})
        assert b'role="alert"' in answer.content
    assert Class.objects.count() == 1


def test_a_class_is_deleted_with_all_its_data_only_if_its_name_is_typed(instructor, monday, ann):
    report(ann)
    vote(open_poll(monday), ann, "yes")
    path = reverse("room_delete", args=[monday.pk])
    for name in ("", "monday", "Tuesday"):
        assert instructor.post(path, {"name": name}).status_code == 400
    assert Class.objects.count() == 1
    assert instructor.post(path, {"name": " Monday "}).url == reverse("room_classes")
    for model in (Class, Student, Vote):
        assert not model.objects.exists()


# Actions


def do(client, school_class, **action):
    path = reverse("room_act", args=[school_class.pk])
    answer = client.post(path, action)
    return answer.status_code, answer.json().get("error", "")


def test_an_action_reaches_no_student_of_another_class(instructor, monday, ann):
    friday = Class.objects.create(name="Friday")
    for action in ({"type": "message", "text": "Hi"}, {"type": "hand"}, {"type": "remove"}):
        found = do(instructor, friday, **action, student=ann.pk)
        assert found == (404, "The class or the student was deleted.")
    assert [one.messages for one in Class.objects.all()] == [[], []]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({}, "Object missing required field `type`"),
        ({"type": "delete"}, "Invalid value 'delete'"),
        ({"type": "message", "student": "", "text": " "}, "`$.text`"),
        ({"type": "predict", "lesson": "../etc", "question": 1}, "no lesson"),
        ({"type": "hold", "what": "all", "is_held": True}, "`$.what`"),
        ({"type": "timer", "minutes": -1, "label": ""}, "`$.minutes`"),
        ({"type": "today", "lessons": ["stop"], "start": "25:00", "factor": 1}, "`$.start`"),
        ({"type": "today", "lessons": ["stop"], "start": "09:00", "factor": 0}, "`$.factor`"),
        ({"type": "today", "start": "09:00", "factor": 1}, "Choose a lesson."),
        ({"type": "ask", "text": "Done?", "options": "yes, "}, "needs two to 8 short answers"),
        ({"type": "predict", "lesson": "stop", "question": 99}, "has 3 questions"),
        ({"type": "poll", "action": "close"}, "another state"),
        ({"type": "look", "lesson": "stop", "step": "javascript:"}, "`$.step`"),
    ],
)
def test_an_action_that_is_not_valid_is_refused_with_the_reason(instructor, monday, action, reason):
    status, error = do(instructor, monday, **action)
    assert (status, reason in error) == (400, True), error


def test_a_question_goes_from_open_to_closed_to_shown_and_into_a_second_round(monday):
    first = open_poll(monday)
    seen = []
    for action in ("close", "again", "show", "end"):
        act(monday.pk, {"type": "poll", "action": action})
        poll = board(monday.pk)["poll"]
        seen.append(poll and (poll["state"], poll["round"]))
    assert seen == [("closed", 1), ("open", 2), ("shown", 2), None]
    assert open_poll(monday) > first


@pytest.mark.parametrize(
    "part, fragment, detail",
    [
        ({}, "", ""),
        ({"step": "do"}, "#do", ", Do"),
        ({"mistake": "Does Not<"}, "#mistake-Does%20Not%3C", ", mistake: Does not<"),
        ({"conversation": "text a&b"}, "#step=text+a%26b", ", a conversation"),
    ],
)
def test_look_names_a_part_of_the_lessons_page(monday, part, fragment, detail):
    act(monday.pk, {"type": "look", "lesson": "stop", **part})
    look = board(monday.pk)["look"]
    assert (look["lesson"], look["fragment"], look["detail"]) == ("stop", fragment, detail)


def test_todays_lessons_begin_at_the_times_of_the_course_multiplied_by_the_factor(monday):
    plan = {"type": "today", "lessons": ["stop", "accept"], "start": "09:00", "factor": 2}
    act(monday.pk, plan)
    first, second = board(monday.pk)["today"]["parts"]
    assert (first["slug"], first["begins"], second["slug"]) == ("accept", "09:00", "stop")
    hours, minutes = map(int, second["begins"].split(":"))
    assert hours * 60 + minutes == 9 * 60 + first["minutes"]
    assert (first["ends"], second["ends"] > second["begins"]) == (second["begins"], True)
    act(monday.pk, {"type": "today"})
    assert board(monday.pk)["today"] is None


@pytest.mark.parametrize("over, seconds", [(-90, 90), (1, 0), (240, 0), (301, None)])
def test_a_timer_stays_at_0_for_some_minutes(over, seconds):
    found = timer_of({"ends": time.time() - over, "label": "Coffee", "is_break": True})
    assert (found and round(found["seconds"])) == seconds


def test_the_answer_of_a_lessons_question_is_played_and_hidden_until_it_is_shown(monday, ann):
    act(monday.pk, {"type": "predict", "lesson": "group", "question": 1})
    vote(board(monday.pk)["poll"]["id"], ann, "2:0")
    assert not {"because", "recording"} & board(monday.pk)["poll"].keys()
    act(monday.pk, {"type": "poll", "action": "show"})
    poll = board(monday.pk)["poll"]
    assert poll["recording"]["events"]
    assert poll["because"]
    assert (poll["chart"].count("✓"), poll["chart"].count("✗")) == (4, 2)


# A student's page


def page(client, student):
    return client.get(reverse("room_student", args=[student.pk, "stop"])).content.decode()


def test_shows_the_claims_the_finding_and_the_code(instructor, ann):
    report(ann)
    text = page(instructor, ann)
    for part in ("workshop says", "It ends.", "The consumer did not stop when its client", "≠ x"):
        assert part in text
    assert "Operator" in text


def test_names_claims_and_code_with_markup_are_text(instructor, monday):
    student = new_student(monday, f"{MARKUP}!")
    claim = {"claim": f"{MARKUP} `{MARKUP}`", "state": "red"}
    texts = dict.fromkeys(("diagnosis", "title", "message", "detail"), MARKUP)
    report(student, standing(claims=[claim], code=f"x = '{MARKUP}'\n# </pre>{MARKUP}", **texts))
    text = page(instructor, student)
    assert "<script>" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 6


def test_a_student_who_shares_no_code_is_not_judged(instructor, ann):
    report(ann, standing(code=None))
    assert "Judge it again" not in page(instructor, ann)
    assert instructor.post(reverse("room_judge", args=[ann.pk, "stop"])).status_code == 409


def test_characters_that_hide_or_reverse_code_are_escapes_and_large_code_is_cut():
    [line] = code_lines("a = 1 # \u202e\u2066\u200b\0\x0c\u00a0ü\tß")
    assert "\\u202e\\u2066\\u200b\\x00\\x0c\\xa0ü\tß" in line
    assert len(code_lines("x\n" * 5_000)) == MAX_LINES
    [long_line] = code_lines("(" * 20_000)
    assert len(long_line) < MAX_LENGTH * 10


def test_judges_the_code_again(instructor, ann, monkeypatch):
    report(ann, standing(code="x = 1"))
    verdict = {"state": "green", "outcomes": [{"claim": "a `b`", "state": "green"}]}
    judged = []

    def judge_again(lesson, code):
        judged.append((lesson.slug, code))
        return verdict

    monkeypatch.setattr(rejudge, "judge_again", judge_again)
    answer = instructor.post(reverse("room_judge", args=[ann.pk, "stop"])).json()
    assert judged == [("stop", "x = 1")]
    assert answer == {"claimed": "red", "answer": verdict}


# The export


def table(client, found) -> list[list[str]]:
    answer = client.get(reverse("room_export", args=[found.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="monday.csv"'
    return list(csv.reader(io.StringIO(answer.content.decode())))[1:]


def test_exports_a_row_for_each_lesson_of_each_student(instructor, monday, ann):
    new_student(monday, "Ben")
    green = standing(lesson="accept", state="green", was_green=True)
    report(ann, green, standing(hints=2))
    accept, stop, none = table(instructor, monday)
    assert accept[:6] == ["Ann", "1", "accept", "green", "yes", "0"]
    assert stop[:6] == ["Ann", "3", "stop", "red", "no", "2"]
    assert stop[7] == "The consumer did not stop when its client had left"
    assert none[:4] == ["Ben", "", "", "new"]
