"""The report on a class: its mistakes, its claims, and both of its files."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import make_finding
from lessons.workshop.grading.grading import UNCHANGED, ClassReport
from lessons.workshop.grading.judging import NOT_JUDGED, TIMED_OUT, Grade
from lessons.workshop.grading.report import as_csv, as_html, write_report
from lessons.workshop.grading.submissions import LeftOut, Submission
from lessons.workshop.judge.verdict import Outcome, Verdict

STOP, FRAMES = find("stop"), find("frames")
MARKUP = "<script>alert(1)</script>"


def grade(student, diagnosis="", steps="", lesson=STOP, content=b"x = 1", **finding):
    """A submission that is green, or has this diagnosis."""
    submission = Submission(student, lesson, f"{student}.py", content)
    outcome = Outcome("test_a", "It ends.", "green")
    if diagnosis:
        found = replace(make_finding(diagnosis), conversation=steps, **finding)
        outcome = replace(outcome, state="red", finding=found)
    rest = Outcome("test_b", "It begins.", "not run" if diagnosis else "green")
    verdict = Verdict(lesson.key, f"{student}.py", (outcome, rest), seconds=0.5)
    return Grade(submission, "green" if verdict.green else "red", verdict)


def not_judged(student, state=NOT_JUDGED):
    submission = Submission(student, STOP, f"{student}.py", b"")
    return Grade(submission, state, None, TIMED_OUT, "After 30 s.")


def report(*grades, left_out=(), warning=""):
    created = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
    return ClassReport("class", grades, tuple(left_out), warning, created)


WHOLE = report(
    grade("ada"),
    grade("ben", "no-stop-consumer", "connect | close", lesson=FRAMES),
    grade("ben", "no-stop-consumer", "connect | close"),
    not_judged("eve"),
    not_judged("finn", UNCHANGED),
    left_out=[LeftOut("notes.txt", "not a Python file"), LeftOut("odd.py", "names no lesson")],
)


def test_mistakes_are_grouped_by_lesson_and_diagnosis_with_the_most_frequent_first():
    found = report(
        grade("ada"),
        grade("ben", "stuck"),
        grade("cleo", "no-stop-consumer", event="websocket.receive"),
        grade("dan", "no-stop-consumer"),
        grade("finn", "no-stop-consumer", lesson=FRAMES),
        not_judged("eve"),
        not_judged("gus", UNCHANGED),
    ).mistakes
    assert [(it["lesson"].slug, it["headline"], it["students"]) for it in found] == [
        ("frames", "1 of 1: The consumer did not stop when its client had left", "finn"),
        ("stop", "2 of 4: The consumer did not stop when its client had left", "cleo, dan"),
        ("stop", "1 of 4: The code does not come to an end", "ben"),
    ]


def test_a_vague_diagnosis_is_grouped_by_its_first_difference():
    wrong = {"event": "websocket.receive", "expected": 'websocket.send  text: "Wrong."'}
    right = {**wrong, "expected": 'websocket.send  text: "Right."'}
    found = report(
        grade("ada", "reply-differs", **wrong),
        grade("ben", "reply-differs", **right),
        grade("cleo", "reply-differs", **wrong),
    ).mistakes
    assert [(it["students"], it["claim"], it["difference"]) for it in found] == [
        ("ada, cleo", "It ends.", f"at websocket.receive, expected {wrong['expected']}"),
        ("ben", "It ends.", f"at websocket.receive, expected {right['expected']}"),
    ]


def test_counts_for_each_claim_how_many_of_those_that_load_fail_it():
    does_not_load = grade("eve")
    problem = replace(does_not_load.verdict, outcomes=(), problem=make_finding("syntax-error"))
    does_not_load = replace(does_not_load, state="red", verdict=problem)
    found = report(grade("ada"), grade("ben", "stuck"), does_not_load)
    assert found.claims == [
        (STOP, "It ends.", 1, 2),
        (STOP, "It begins.", 0, 1),  # of one submission it did not run
    ]


def test_csv_has_a_row_for_each_submission_and_each_file_that_was_left_out():
    rows = list(csv.DictReader(io.StringIO(as_csv(WHOLE))))
    assert [(row["student"], row["file"], row["state"], row["claims green"]) for row in rows] == [
        ("ada", "ada.py", "green", "2"),
        ("ben", "ben.py", "red", "0"),
        ("ben", "ben.py", "red", "0"),
        ("eve", "eve.py", "not judged", ""),
        ("finn", "finn.py", "unchanged", ""),
        ("", "notes.txt", "left out", ""),
        ("", "odd.py", "left out", ""),
    ]
    assert rows[3]["message"] == "timed out: After 30 s."


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n="])
def test_csv_has_no_formulas(start):
    student = f"{start}HYPERLINK(1)"
    red = grade(student, "no-stop-consumer", event=student)
    rows = csv.reader(io.StringIO(as_csv(report(red)), newline=""))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))]
    assert not [cell for cell in cells if cell.startswith("\r")]
    assert len([cell for cell in cells if "HYPERLINK" in cell]) == 3


def test_the_page_escapes_all_that_comes_from_a_student(tmp_path):
    content = f"class Guess:\n    x = '{MARKUP}'\n".encode()
    texts = {"event": MARKUP, "detail": f"{MARKUP}\ud800", "expected": MARKUP}
    steps = f"connect | text {MARKUP}"
    eve = grade(f"{MARKUP}eve", "reply-differs", steps, content=content, **texts)
    eve = replace(eve, verdict=replace(eve.verdict, output=MARKUP))
    whole = report(eve, left_out=[LeftOut(MARKUP, MARKUP)], warning=MARKUP)
    page = as_html(replace(whole, name=MARKUP))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 10
    write_report(whole, tmp_path / "out")  # a lone surrogate can be written


def test_the_page_loads_nothing_and_runs_nothing():
    page = as_html(WHOLE)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r"\b(src|srcset|data|action)=|url\(|@import|<link|\son\w+=", page)
    assert all(one.startswith("#") for one in re.findall(r'href="([^"]*)"', page))


def test_the_page_shows_students_lessons_and_claims():
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", as_html(WHOLE))).split())
    counts = "1 green , 2 red , 1 unchanged , 1 not judged . 2026-03-04 10:30 UTC"
    assert f"4 students, 5 submissions: {counts}" in text
    assert "ada · ✓ green 2/2 ben" in text
    assert "ben ✗ red 0/2 ✗ red 0/2" in text
    assert "eve · ? not judged" in text
    assert "Lesson 3 stop It ends. 1 of 2 It begins. 0 of 1" in text
    assert "odd.py : names no lesson" in text
