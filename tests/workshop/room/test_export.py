"""What a class leaves behind: tables for a spreadsheet, and one page."""

import csv
import io
import re

import pytest

from lessons.workshop.room import export
from lessons.workshop.room.export import export_files
from lessons.workshop.room.models import Poll
from lessons.workshop.room.worker.orders import WorkerFailed
from lessons.workshop.room.worker.poll_question import question_json
from tests.support.room import make_class as new_class
from tests.support.room import make_student as new_student
from tests.support.room import send_report, vote

pytestmark = pytest.mark.django_db
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def monday(monkeypatch):
    monkeypatch.setattr(export, "read_question", question_json)  # without a worker
    return new_class()


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def text_of(time):
    return f"{time:%Y-%m-%d %H:%M:%S}"


def test_a_row_for_each_lesson_of_each_student(monday):
    ann = new_student(monday)
    send_report(ann, 1, hints=2)
    send_report(ann, 2, state="green", was_green=True, verdict=None)
    send_report(ann, 3, lesson="group", is_read=True)
    rows = table(export_files(monday)["lessons.csv"])
    assert [(row["student"], row["lesson"], row["slug"], row["state"]) for row in rows] == [
        ("Ann", "3", "stop", "green"),
        ("Ann", "12", "group", "read"),
    ]
    kept = rows[0]["reports"], rows[0]["was green"], rows[1]["solution read"]
    assert kept == ("2", "yes", "yes")
    assert (rows[1]["first green"], rows[1]["diagnosis"]) == ("", "no-stop-consumer")


def test_a_row_for_each_student_with_sums_over_the_lessons(monday):
    ann, ben = new_student(monday), new_student(monday, "Ben")
    send_report(ann, 1, hints=2)
    send_report(ann, 2, hints=2, state="green", was_green=True, verdict=None)
    send_report(ann, 3, lesson="group", hints=3, is_read=True)
    send_report(ann, 4, lesson="accept", hints=1)
    rows = table(export_files(monday)["students.csv"])
    progress = max(one.changed for one in ann.standings.all())
    assert [list(row.values()) for row in rows] == [
        [*("Ann", "1", text_of(ann.joined), "1", "1", "1", "6", "4"), text_of(progress)],
        [*("Ben", "2", text_of(ben.joined), "0", "0", "0", "0", "0"), ""],
    ]


def test_no_cell_is_a_formula(monday):
    finding = {"diagnosis": FORMULA, "message": f"\t{FORMULA}"}
    verdict = {"outcomes": [{"claim": "c", "state": "red", "finding": finding}]}
    send_report(new_student(monday, FORMULA), verdict=verdict)
    poll = Poll.objects.create(school_class=monday, lesson="group", question=1, state="ended")
    for number, answer in enumerate(["@SUM(1)", "-1", "+1", "\r=1"]):
        vote(poll, new_student(monday, f"+{number}"), answer)
    for name in ("lessons.csv", "polls.csv", "students.csv"):
        cells = [
            cell for row in csv.reader(io.StringIO(export_files(monday)[name])) for cell in row
        ]
        assert not [cell for cell in cells if re.match(r"\s*[=+\-@]", cell)]


def test_each_round_of_a_poll_is_counted_and_graded(monday):
    poll = Poll.objects.create(school_class=monday, lesson="group", question=1, round=2)
    ann, ben = new_student(monday), new_student(monday, "Ben")
    right = "1:0 1:1 2:0 3:1"
    for number, other in enumerate(("2:0", right), 1):
        vote(poll, ann, right, number)
        vote(poll, ben, other, number)
    rows = table(export_files(monday)["polls.csv"])
    assert [(row["round"], row["answer"], row["votes"], row["right"]) for row in rows] == [
        ("1", right, "1", "yes"),
        ("1", "2:0", "1", "no"),
        ("2", right, "2", "yes"),
    ]


def test_votes_are_exported_even_if_the_question_cannot_be_played(monday, monkeypatch):
    def fail(*arguments):
        raise WorkerFailed("no memory")

    monkeypatch.setattr(export, "read_question", fail)
    poll = Poll.objects.create(school_class=monday, lesson="group", question=1)
    vote(poll, new_student(monday), "2:0")
    files = export_files(monday)
    assert table(files["polls.csv"])[0]["right"] == ""
    assert "<td>?</td>" in files["class.html"]


def test_the_page_shows_markup_as_text_and_has_no_script(monday):
    name = "<script>x</script>"
    finding = {"diagnosis": name, "message": name}
    verdict = {"outcomes": [{"claim": name, "state": "red", "finding": finding}]}
    send_report(new_student(monday, name), verdict=verdict)
    page = export_files(monday)["class.html"]
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page)
