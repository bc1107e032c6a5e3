"""The report on a class: its mistakes, and each of its files."""

import csv
import io
import json
import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree

import pytest

from lessons.workshop.course.lesson_index import find, lessons
from lessons.workshop.grading import report_files
from lessons.workshop.grading.class_mistakes import class_mistakes, teaching_notes
from lessons.workshop.grading.class_report import SCHEMA
from lessons.workshop.grading.found_files import LeftOut
from lessons.workshop.grading.report_page import as_html
from lessons.workshop.judge.study.mistakes import read_mistakes
from tests.support.class_reports import grade, not_judged, report
from tests.support.json_schema import problems

STOP, FRAMES = find("stop"), find("frames")
LONG = "".join(f"    x{number} = 1\n" for number in range(500))
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


def test_the_example_has_the_fewest_steps():
    [mistake] = class_mistakes(
        [
            grade("ada", "no-stop-consumer", "connect | text a | close"),
            grade("ben", "no-stop-consumer", "connect | close"),
            grade("cleo", "no-stop-consumer", ""),
        ]
    )
    assert mistake.conversation == "connect | close"
    assert mistake.example[0].submission.student == "ben"


def test_a_mistake_shows_the_students_lines_beside_those_of_the_solution(tmp_path):
    file = tmp_path / "ada.py"
    file.write_text(STOP.solution.read_text().replace("raise StopConsumer()", "pass"))
    [mistake] = class_mistakes([grade("ada", "no-stop-consumer", file=file)])
    differing = [row for row in mistake.rows if row["differs"]]
    assert [(row["right"]["html"].strip(), row["wrong"]["html"].strip()) for row in differing] == [
        ("raise StopConsumer()", "pass")
    ]


@pytest.mark.parametrize("text", ["class Guess(", "x = 1", "(" * 100_000, "class Guess:\n" + LONG])
def test_code_that_cannot_be_compared_has_no_rows(tmp_path, text):
    (tmp_path / "ada.py").write_text(text)
    [mistake] = class_mistakes([grade("ada", "no-stop-consumer", file=tmp_path / "ada.py")])
    assert mistake.rows == []


def test_the_teaching_note_is_that_of_the_mistake_with_the_same_diagnosis():
    [mistake] = class_mistakes([grade("ada", "no-stop-consumer")])
    assert [one.name for one in mistake.known][:1] == ["OnlyTakesNote"]
    assert mistake.notes == [
        "everything looks right until Daphne's warning, 10 s later. Ask what the consumer waits "
        "for."
    ]


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_each_lesson_has_notes_on_its_own_mistakes(lesson):
    notes = teaching_notes(lesson)
    assert notes
    assert set(notes) <= {mistake.name for mistake in read_mistakes(lesson)}
    assert all(note.endswith((".", "?")) for note in notes.values())


def test_the_report_is_complete_if_all_have_a_verdict():
    assert report(grade("ada"), grade("ben", "no-stop-consumer")).is_complete
    assert report(grade("ada"), left_out=[LeftOut("a.txt", "not a Python file")]).is_complete
    assert not report(grade("ada"), not_judged("eve")).is_complete
    assert not report(grade("ada"), left_out=[LeftOut("a.py", "names no lesson", True)]).is_complete


def test_json_is_as_the_schema_says():
    schema = json.loads(SCHEMA.read_text())
    data = json.loads(report_files.as_json(WHOLE))
    assert problems(data, schema) == []
    assert {one["state"] for one in data["submissions"]} == {"green", "red", "not judged"}
    broken = [
        {**data, "schema_version": 2},
        {**data, "extra": 1},
        {**data, "submissions": [{**data["submissions"][0], "state": "grey"}]},
        {name: value for name, value in data.items() if name != "mistakes"},
    ]
    assert all(problems(one, schema) for one in broken)


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
    red = grade(student, "no-stop-consumer", message=student)
    rows = csv.reader(io.StringIO(report_files.as_csv(report(red)), newline=""))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t"))]
    assert not [cell for cell in cells if cell.startswith("\r")]
    assert len([cell for cell in cells if "HYPERLINK" in cell]) == 3


def test_junit_has_all_submissions_and_what_was_not_judged_is_skipped():
    root = ElementTree.fromstring(report_files.as_junit(WHOLE))
    suites = {suite.get("name"): suite for suite in root}
    assert [*suites] == [
        "ada 03-stop",
        "ben 02-frames",
        "ben 03-stop",
        "eve 03-stop",
        "not matched",
    ]
    kinds = {
        name: [one.tag for one in suite.iterfind("testcase/*")] for name, suite in suites.items()
    }
    assert kinds == {
        "ada 03-stop": [],
        "ben 02-frames": ["failure", "skipped"],
        "ben 03-stop": ["failure", "skipped"],
        "eve 03-stop": ["skipped"],
        "not matched": ["skipped"],
    }
    assert suites["eve 03-stop"].find(".//skipped").get("message") == "timed out: After 30 s."


def test_junit_survives_control_characters_and_lone_surrogates():
    red = grade("ada", "no-stop-consumer", message="a\x00\x1b[2J\ud800", detail="\x01")
    root = ElementTree.fromstring(report_files.as_junit(report(red)))
    assert root.find(".//failure").get("message") == "a��[2J�"


def test_results_have_a_point_for_each_claim_and_none_for_what_was_not_judged():
    results = json.loads(
        report_files.as_results([grade("ben", "no-stop-consumer"), not_judged("ben")])
    )
    assert [
        (one.get("score"), one.get("max_score"), one.get("status")) for one in results["tests"]
    ] == [
        (0, 1, "failed"),
        (0, 1, "failed"),
        (None, None, None),
    ]
    assert results["tests"][2]["output"] == "It could not be judged. timed out: After 30 s."
    whole = json.loads(report_files.as_results([grade("ada")]))
    assert sum(one["score"] for one in whole["tests"]) == 2
    assert "score" not in whole


# "Output format" in https://gradescope-autograders.readthedocs.io/en/latest/specs/: the keys, and
# which kind of value each has.
NUMBER, TEXT = (int, float), str
VISIBILITY = ("hidden", "after_due_date", "after_published", "visible")
OF_RESULTS = {"score": NUMBER, "execution_time": NUMBER, "visibility": VISIBILITY, "tests": list}
OF_TEST = {
    "score": NUMBER,
    "max_score": NUMBER,
    "status": ("passed", "failed"),
    "name": TEXT,
    "output": TEXT,
}


@pytest.mark.parametrize(
    "grades",
    [
        [grade("ada")],
        [grade("ben", "no-stop-consumer"), not_judged("ben")],
        [not_judged("eve")],
    ],
    ids=["green", "red and not judged", "not judged"],
)
def test_results_are_in_the_format_that_gradescope_documents(grades):
    results = json.loads(report_files.as_results(grades))
    for data, keys in ((results, OF_RESULTS), *((one, OF_TEST) for one in results["tests"])):
        assert set(data) <= set(keys)
        for key, value in data.items():
            kind = keys[key]
            is_choice = isinstance(kind, tuple) and isinstance(kind[0], str)
            assert value in kind if is_choice else isinstance(value, kind), key
    # "Required if not on each test case below", and the other way round.
    scores = [one.get("score") for one in results["tests"]]
    assert ("score" in results) == (None in scores)
    assert results.get("score") in (None, sum(filter(None, scores)))


def test_one_student_has_results_where_an_autograder_looks(tmp_path):
    files = report_files.write_report(report(grade("ada")), tmp_path)
    assert sorted(file.relative_to(tmp_path).as_posix() for file in files) == [
        "junit.xml",
        "report.csv",
        "report.html",
        "report.json",
        "results.json",
    ]


def test_students_of_a_class_have_a_folder_with_a_safe_name(tmp_path):
    grades = [grade("../../eve"), grade("Ada Å. Lovelace"), grade("..")]
    report_files.write_report(report(*grades), tmp_path)
    assert sorted(file.parent.name for file in tmp_path.rglob("results.json")) == [
        "001_eve",
        "002_Ada_Lovelace",
        "003",
    ]


def files_in(folder):
    return {it.relative_to(folder).as_posix() for it in folder.rglob("*") if it.is_file()}


@pytest.mark.parametrize(
    "earlier, later",
    [(["ben", "eve"], ["ada", "ben", "eve"]), (["ada"], ["ada", "ben"]), (["ada", "ben"], ["ada"])],
)
def test_a_second_report_leaves_no_outdated_file(tmp_path, earlier, later):
    report_files.write_report(report(*map(grade, earlier)), tmp_path / "both")
    report_files.write_report(report(*map(grade, later)), tmp_path / "both")
    report_files.write_report(report(*map(grade, later)), tmp_path / "fresh")
    assert files_in(tmp_path / "both") == files_in(tmp_path / "fresh")
    assert {*(tmp_path / "both").iterdir()} == {
        tmp_path / "both" / it.name for it in (tmp_path / "fresh").iterdir()
    }


@pytest.mark.parametrize(
    "earlier_report",
    [None, b"{", b"[]", b"7", b'{"submissions": 7}', b'{"submissions": [7]}'],
    ids=["no report", "damaged", "a list", "a number", "no list", "no students"],
)
def test_a_report_deletes_no_file_of_others(tmp_path, earlier_report):
    others = {
        "results.json",
        "notes.txt",
        "autograder/results.json",
        "autograder/001_eve/results.json",
        "autograder/001_eve/notes.txt",
    }
    for name in others:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    if earlier_report is not None:
        (tmp_path / "report.json").write_bytes(earlier_report)
    report_files.write_report(report(grade("ada"), grade("ben")), tmp_path)
    assert others <= files_in(tmp_path)
    report_files.write_report(report(grade("ben"), grade("cleo")), tmp_path)
    assert others <= files_in(tmp_path)


def test_a_student_of_an_earlier_report_cannot_name_a_file_outside(tmp_path):
    (tmp_path / "results.json").write_text("{}")
    folder = tmp_path / "report"
    folder.mkdir()
    names = ["..", "../..", "/", str(tmp_path)]
    data = {"submissions": [{"student": name} for name in names]}
    (folder / "report.json").write_text(json.dumps(data))
    report_files.write_report(report(grade("ada")), folder)
    assert (tmp_path / "results.json").exists()


def test_the_page_escapes_all_that_comes_from_a_student(tmp_path):
    file = tmp_path / "eve.py"
    file.write_text(f"class Guess:\n    x = '{MARKUP}'\n")
    texts = {
        "message": MARKUP,
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


def test_each_link_of_the_page_has_one_target():
    page = as_html(WHOLE)
    targets = re.findall(r'\bid="([^"]*)"', page)
    assert len(targets) == len(set(targets))
    assert set(re.findall(r'href="#([^"]*)"', page)) <= set(targets)


def test_the_page_shows_students_lessons_claims_and_times():
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", as_html(WHOLE))).split())
    assert (
        "3 students, 4 submissions: 1 green , 2 red , 1 not judged . 2026-03-04 10:30 UTC" in text
    )
    assert "ada · ✓ green 2/2 0.5 s" in text
    assert "ben ✗ red 0/2 0.5 s ✗ red 0/2 0.5 s" in text
    assert "eve · ? not judged" in text
    assert "odd.py : names no lesson" in text
