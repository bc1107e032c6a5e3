"""The report on a class: its mistakes, and each of its files."""

import csv
import io
import json
import re
from dataclasses import replace
from html import unescape

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.grading import report_files
from lessons.workshop.grading.class_mistakes import class_mistakes
from lessons.workshop.grading.found_files import LeftOut
from lessons.workshop.grading.report_page import as_html
from tests.support.class_reports import grade, not_judged, report

STOP, FRAMES = find("stop"), find("frames")
MARKUP = "<script>alert(1)</script>"


WHOLE = report(
    grade("ada"),
    grade("ben", "no-stop-consumer", "connect | close", lesson=FRAMES),
    grade("ben", "no-stop-consumer", "connect | close"),
    not_judged("eve"),
    left_out=[
        LeftOut("notes.txt", "not a Python file"),
        LeftOut("odd.py", "names no lesson", True),
    ],
)


def test_mistakes_are_grouped_by_lesson_and_diagnosis_with_the_most_frequent_first():
    found = class_mistakes(
        [
            grade("ada"),
            grade("ben", "not-closed-as-asked"),
            grade("cleo", "no-stop-consumer"),
            grade("dan", "no-stop-consumer"),
            grade("finn", "no-stop-consumer", lesson=FRAMES),
            not_judged("eve"),
        ]
    )
    assert [(one.lesson.slug, one.headline, one.students) for one in found] == [
        ("frames", "1 of 1: The consumer did not stop when its client had left", ["finn"]),
        ("stop", "2 of 4: The consumer did not stop when its client had left", ["cleo", "dan"]),
        ("stop", "1 of 4: The connection was not closed", ["ben"]),
    ]


def test_a_mistake_shows_the_students_lines_beside_those_of_the_solution(tmp_path):
    file = tmp_path / "ada.py"
    file.write_text(STOP.solution.read_text().replace("raise StopConsumer()", "pass"))
    [mistake] = class_mistakes([grade("ada", "no-stop-consumer", file=file)])
    differing = [row for row in mistake.rows if row["differs"]]
    assert [(row["right"]["html"].strip(), row["wrong"]["html"].strip()) for row in differing] == [
        ("raise StopConsumer()", "pass")
    ]


def test_json_has_each_submission_with_its_state():
    data = json.loads(report_files.as_json(WHOLE))
    states = [(one["student"], one["state"]) for one in data["submissions"]]
    assert states == [("ada", "green"), ("ben", "red"), ("ben", "red"), ("eve", "not judged")]


def test_csv_has_a_row_for_each_submission_and_each_file_that_was_left_out():
    rows = list(csv.DictReader(io.StringIO(report_files.as_csv(WHOLE))))
    assert [(row["student"], row["file"], row["state"], row["claims green"]) for row in rows] == [
        ("ada", "ada.py", "green", "2"),
        ("ben", "ben.py", "red", "0"),
        ("ben", "ben.py", "red", "0"),
        ("eve", "eve.py", "not judged", ""),
        ("", "notes.txt", "left out", ""),
        ("", "odd.py", "left out", ""),
    ]
    assert rows[3]["message"] == "timed out: After 30 s."


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n="])
def test_csv_has_no_formulas(start):
    student = f"{start}HYPERLINK(1)"
    red = grade(student, "no-stop-consumer", event=student)
    rows = csv.reader(io.StringIO(report_files.as_csv(report(red)), newline=""))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))]
    assert not [cell for cell in cells if cell.startswith("\r")]
    assert len([cell for cell in cells if "HYPERLINK" in cell]) == 3


def test_the_page_escapes_all_that_comes_from_a_student(tmp_path):
    file = tmp_path / "eve.py"
    file.write_text(f"class Guess:\n    x = '{MARKUP}'\n")
    texts = {
        "event": MARKUP,
        "detail": f"{MARKUP}\ud800",
    }
    eve = grade(f"{MARKUP}eve", "no-stop-consumer", f"connect | text {MARKUP}", file=file, **texts)
    verdict = replace(eve.verdict, output=MARKUP)
    eve = replace(eve, result=replace(eve.result, verdict=verdict))
    whole = report(eve, left_out=[LeftOut(MARKUP, MARKUP)], warning=MARKUP)
    page = as_html(replace(whole, name=MARKUP))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 10
    report_files.write_report(whole, tmp_path / "out")  # a lone surrogate can be written


def test_the_page_loads_nothing_and_runs_nothing():
    page = as_html(WHOLE)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r"\b(src|srcset|data|action)=|url\(|@import|<link|\son\w+=", page)
    assert all(one.startswith("#") for one in re.findall(r'href="([^"]*)"', page))


def test_the_page_shows_students_lessons_claims_and_times():
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", as_html(WHOLE))).split())
    assert (
        "3 students, 4 submissions: 1 green , 2 red , 1 not judged . 2026-03-04 10:30 UTC" in text
    )
    assert "ada · ✓ green 2/2 0.5 s" in text
    assert "ben ✗ red 0/2 0.5 s ✗ red 0/2 0.5 s" in text
    assert "eve · ? not judged" in text
    assert "odd.py : names no lesson" in text
