"""The instructor's pages: who may see them, classes, the board, the export, and deleting."""

import io
import zipfile

import pytest
from django.test import Client
from django.urls import reverse

from lessons.workshop.room.models import Class, Poll, Report, Student
from lessons.workshop.room.store.joining import join
from lessons.workshop.room.views import board_views
from lessons.workshop.room.worker.poll_question import question_json
from tests.support.room import INSTRUCTOR, PASSWORD, logged_in, send_report, vote
from tests.support.room import make_class as new_class
from tests.support.room import make_student as new_student

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("room_pages")]


@pytest.fixture
def monday():
    return new_class()


@pytest.fixture
def instructor():
    return logged_in()


def all_pages(found, student):
    """Every page of an instructor."""
    return [
        reverse("room_classes"),
        reverse("room_course"),
        *(reverse(f"room_{name}", args=[found.pk]) for name in ("board", "export", "delete")),
        reverse("room_question", args=[found.pk]),
        *(reverse(f"room_{name}", args=[student.pk, "stop"]) for name in ("student", "judge")),
    ]


def test_a_page_sends_a_stranger_to_the_login_and_refuses_a_user_who_is_not_staff(monday):
    user, token = logged_in(is_staff=False), join(monday.code, "Ben", "", False).token
    for path in all_pages(monday, new_student(monday)):
        answer = Client(headers={"Authorization": f"Bearer {token}"}).get(path)
        assert (answer.status_code, answer.url) == (302, f"/room/log-in/?next={path}")
        assert user.get(path).status_code == user.post(path).status_code == 403, path


def test_every_page_has_the_policy_that_runs_no_inline_script_of_a_name(instructor):
    found = new_class("<script>x</script>")
    for path in all_pages(found, new_student(found)):
        answer = instructor.get(path)
        assert "script-src 'self';" in answer["Content-Security-Policy"], path
        assert b"<script>x" not in answer.content, path


@pytest.mark.parametrize("page", ["room_classes", "room_delete", "room_judge", "room_log_out"])
def test_a_form_of_another_site_changes_nothing(monday, page):
    student = new_student(monday)
    arguments = {"room_delete": [monday.pk], "room_judge": [student.pk, "stop"]}.get(page, [])
    client = logged_in(enforce_csrf_checks=True)
    assert client.post(reverse(page, args=arguments), {"name": "Monday"}).status_code == 403
    assert list(Class.objects.all()) == [monday]
    assert client.post(reverse("room_log_in"), {"username": "a"}).status_code == 403


def test_what_does_not_exist_is_404_in_the_rooms_style(instructor):
    for path in ("board/99/", "student/99/stop/", "board/99/export/", "nothing/"):
        answer = instructor.get(f"/room/{path}")
        assert answer.status_code == 404
        assert "The room has no such page." in answer.content.decode()


def test_only_staff_sign_in_and_come_to_the_page_that_they_asked_for(monday):
    board = reverse("room_board", args=[monday.pk])
    logged_in(), logged_in(is_staff=False)
    account = {"username": INSTRUCTOR, "password": PASSWORD}
    login = Client().get(board).url
    assert Client().post(login, account).url == board
    refused = Client().post(login, {**account, "username": "user of these tests"})
    assert "staff account" in refused.content.decode()


# Classes


def test_a_new_class_opens_its_board(instructor):
    answer = instructor.post(reverse("room_classes"), {"name": " Tue  day ", "pseudonyms": "on"})
    created = Class.objects.get()
    assert (created.name, created.pseudonyms) == ("Tue day", True)
    assert answer.url == reverse("room_board", args=[created.pk])


def test_a_name_that_no_class_can_have_is_refused_with_the_reason(instructor, monday):
    for name in ("", "x" * 81, "a\u202eb", "Monday"):
        answer = instructor.post(reverse("room_classes"), {"name": name})
        assert (answer.status_code, b'role="alert"' in answer.content) == (400, True)
    assert Class.objects.count() == 1


# Polls


@pytest.fixture
def poll(monday):
    return Poll.objects.create(school_class=monday, lesson="group", question=1)


def test_the_question_says_which_votes_are_right_once_the_answer_is_shown(
    instructor, poll, monkeypatch
):
    monkeypatch.setattr(board_views, "read_question", question_json)  # without a worker
    path = reverse("room_question", args=[poll.school_class_id])
    right, wrong = "1:0 1:1 2:0 3:1", "2:0"
    for number, answer in enumerate([right, wrong, "<script>"]):
        vote(poll, new_student(poll.school_class, f"Student {number}"), answer)
    assert instructor.get(path, {"poll": poll.pk}).json()["grades"] == {}
    Poll.objects.update(state="shown")
    found = instructor.get(path, {"poll": poll.pk}).json()
    assert found["grades"] == {right: True, wrong: False, "<script>": False}


def test_a_poll_of_another_class_is_404(instructor, poll):
    other = reverse("room_question", args=[new_class("Tuesday").pk])
    for number in (poll.pk, "x", ""):
        assert instructor.get(other, {"poll": number}).status_code == 404


# Export and deleting


def test_the_export_is_a_zip_file_named_like_the_class(instructor, monday):
    send_report(new_student(monday))
    answer = instructor.get(reverse("room_export", args=[monday.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="monday.zip"'
    assert zipfile.is_zipfile(io.BytesIO(answer.content))


def test_a_class_is_deleted_only_if_its_name_is_typed(instructor, monday, monkeypatch):
    announced = []

    async def announce(class_id, change):
        announced.append((class_id, change.to_all))

    send_report(new_student(monday))
    monkeypatch.setattr(board_views, "announce", announce)
    path = reverse("room_delete", args=[monday.pk])
    for name in ("", "monday", "Tuesday"):
        assert instructor.post(path, {"name": name}).status_code == 400
    assert Class.objects.count() == 1
    assert instructor.post(path, {"name": " Monday "}).url == reverse("room_classes")
    assert [model.objects.count() for model in (Class, Student, Report)] == [0, 0, 0]
    assert announced == [(monday.pk, True)]
