"""Writes the report on a class into files, each for other programs."""

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from lessons.workshop.grading.class_report import ClassReport, first_message
from lessons.workshop.grading.grading import Grade
from lessons.workshop.grading.report_page import as_html
from lessons.workshop.judge.verdict import explain_finding, xml_text
from lessons.workshop.setup import atomic_write

_REPORT = "report.json"
_RESULTS = "results.json"  # the name that an autograder looks for
_FORMULA = ("=", "+", "-", "@")
_COLUMNS = (
    *("student", "lesson", "title", "file", "state"),
    *("claims green", "claims", "seconds", "diagnosis", "message"),
)


def write_report(report: ClassReport, folder: Path) -> list[Path]:
    """Write all files of the report, and return their paths. Raises OSError.

    Files of the earlier report in this folder that the new one does not have are removed. All other
    files in the folder stay.
    """
    contents: dict[str, Callable[[ClassReport], str]] = {
        "report.html": as_html,
        "report.csv": as_csv,
        _REPORT: as_json,
        "junit.xml": as_junit,
    }
    results = _results_files(report.students, folder)
    _remove_outdated(folder, {*results.values()})
    files = [_write(folder / name, content(report)) for name, content in contents.items()]
    for student, grades in report.by_student.items():
        files.append(_write(results[student], as_results([*grades.values()])))
    return files


def _results_files(students: list[str], folder: Path) -> dict[str, Path]:
    """The file of each student. An autograder judges one student, and looks in `folder` itself."""
    names = _folder_names(students)
    if len(names) == 1:
        return dict.fromkeys(names, folder / _RESULTS)
    return {student: folder / "autograder" / name / _RESULTS for student, name in names.items()}


def _remove_outdated(folder: Path, new: set[Path]) -> None:
    """Remove the results of the earlier report, except the `new` ones, and folders that are empty.

    The names contain the student's position, so one more student changes the names of others.
    """
    earlier = _results_files(_students_of_earlier_report(folder), folder)
    for file in {*earlier.values()} - new:
        with suppress(FileNotFoundError, NotADirectoryError):
            file.unlink()
        if file.parent != folder:
            for parent in (file.parent, file.parent.parent):
                with suppress(OSError):  # it holds other files, or does not exist
                    parent.rmdir()


def _students_of_earlier_report(folder: Path) -> list[str]:
    """The students in report.json, in their order. It names every results.json of its run."""
    try:
        data = json.loads((folder / _REPORT).read_bytes())
        return list(dict.fromkeys(str(one["student"]) for one in data["submissions"]))
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _write(file: Path, text: str) -> Path:
    atomic_write.write(file, text.encode(errors="backslashreplace"))
    return file


def as_json(report: ClassReport) -> str:
    """The whole report, as report.schema.json describes it."""
    return json.dumps(report.as_json(), indent=1) + "\n"


def as_csv(report: ClassReport) -> str:
    """A row for each submission, then a row for each file that was left out."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for grade in report.grades:
        writer.writerow(map(safe_cell, _row(grade)))
    for one in report.left_out:
        left_out = {"file": one.path, "state": "left out", "message": one.reason}
        writer.writerow(safe_cell(left_out.get(name, "")) for name in _COLUMNS)
    return file.getvalue()


def _row(grade: Grade) -> tuple:
    submission, verdict = grade.submission, grade.verdict
    return (
        *(submission.student, submission.lesson.number, submission.lesson.slug, submission.path),
        *(grade.result.state, *(grade.claims if verdict else ("", ""))),
        *(f"{verdict.seconds:.3f}" if verdict else "", grade.diagnosis, first_message(grade)),
    )


def safe_cell(value) -> str:
    """A cell that no spreadsheet takes for a formula: OWASP, "CSV Injection"."""
    text = " ".join(str(value).split())
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_junit(report: ClassReport) -> str:
    """A test suite for each submission. What could not be judged is skipped: not red, not green."""
    suites = ElementTree.Element("testsuites", name=xml_text(report.name))
    for grade in report.grades:
        submission = grade.submission
        if grade.verdict:
            suite = ElementTree.fromstring(grade.verdict.as_junit())
            suites.append(suite)
        else:
            suite = ElementTree.SubElement(suites, "testsuite", tests="1", skipped="1")
            _add_skipped(suite, submission.lesson.key, "judge the submission", first_message(grade))
        suite.set("name", f"{submission.student} {submission.lesson.key}")
        for case in suite.iter("testcase"):
            case.set("classname", f"{submission.student}.{submission.lesson.key}")
    if report.unmatched:
        suite = ElementTree.SubElement(
            suites, "testsuite", name="not matched", tests=str(len(report.unmatched))
        )
        suite.set("skipped", suite.get("tests", ""))
        for one in report.unmatched:
            _add_skipped(suite, "not matched", one.path, one.reason)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True)


def _add_skipped(suite, class_name: str, name: str, reason: str) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=class_name, name=name)
    ElementTree.SubElement(case, "skipped", message=xml_text(reason))


def as_results(grades: list[Grade]) -> str:
    """results.json of one student, as Gradescope reads it: a test with a point for each claim.

    A submission that could not be judged is a test with neither a status nor a score. The format
    demands a score of the whole if one of its tests has none:
    https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
    """
    tests = [test for grade in grades for test in _tests_of(grade)]
    seconds = sum(grade.verdict.seconds for grade in grades if grade.verdict)
    results = {"execution_time": round(seconds), "visibility": "visible", "tests": tests}
    if not all("score" in test for test in tests):
        results["score"] = sum(test.get("score", 0) for test in tests)
    return json.dumps(results, indent=1) + "\n"


def _tests_of(grade: Grade) -> list[dict]:
    lesson = grade.submission.lesson
    label = f"Lesson {lesson.number} {lesson.slug}"
    if grade.verdict is None:
        return [{"name": label, "output": f"It could not be judged. {first_message(grade)}"}]
    if grade.verdict.problem:
        return [_test(label, False, explain_finding(grade.verdict.problem))]
    return [
        _test(
            f"{label}: {one.claim}",
            one.state == "green",
            explain_finding(one.finding) if one.finding else "",
        )
        for one in grade.verdict.outcomes
    ]


def _test(name: str, is_green: bool, output: str) -> dict:
    status = "passed" if is_green else "failed"
    return {
        "name": name,
        "score": int(is_green),
        "max_score": 1,
        "status": status,
        "output": output,
    }


def _folder_names(students: list[str]) -> dict[str, str]:
    """A name for the folder of each student, which every system accepts."""
    plain = [re.sub(r"\W+", "_", student, flags=re.ASCII).strip("_")[:40] for student in students]
    return {
        student: f"{number:03}_{name}".rstrip("_")
        for number, (student, name) in enumerate(zip(students, plain, strict=True), start=1)
    }
