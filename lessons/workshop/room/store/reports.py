"""The log of reports: each is stored once, together with what it changes."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, ExpressionWrapper, F, Max, Q, Window
from django.db.models.functions import RowNumber

from lessons.workshop.room.models import Report, Standing, Student

KEPT_REPORTS = 100  # of a student in a lesson, with verdict and code; the student page shows them
MAX_DIAGNOSIS, MAX_HEADLINE = 80, 300
PROGRESS = ("state", "was_green", "is_read", "diagnosis")  # a change of one of these is progress


class StudentDeleted(Exception):
    """The student, or the whole class, was deleted."""


@dataclass(frozen=True)
class NewReport:
    """A report of a student's machine; `values` are those of protocol.parse_student_frame()."""

    student_id: int
    device: str
    values: dict

    @property
    def key(self) -> tuple[int, str, int]:
        return self.student_id, self.device, self.values["sequence"]


def save_reports(reports: list[NewReport]) -> list[bool | StudentDeleted]:
    """Store the reports in one transaction. It has been committed when the function returns.

    For each report: whether it is new, or StudentDeleted. The number of queries does not depend on
    the number of reports.
    """
    try:
        with transaction.atomic():
            return _save(reports)
    except IntegrityError:  # an instructor has just deleted a student, between two statements
        if len(reports) == 1:
            return [StudentDeleted()]
        return [save_reports([report])[0] for report in reports]


def _save(reports: list[NewReport]) -> list[bool | StudentDeleted]:
    # The locks put the reports of a student's machines into an order. They are taken in the order
    # of the ids, or two servers could wait for each other.
    locked = Student.objects.select_for_update().order_by("pk")
    students = locked.filter(pk__in={report.student_id for report in reports})
    shares_code = dict(students.values_list("pk", "shares_code"))
    sequences = {report.values["sequence"] for report in reports}
    stored = Report.objects.filter(student__in=shares_code, sequence__in=sequences)
    keys = set(stored.values_list("student_id", "device", "sequence"))
    results, new = [], []
    for report in reports:
        if report.student_id not in shares_code:
            results.append(StudentDeleted())
            continue
        results.append(report.key not in keys)
        if report.key not in keys:
            keys.add(report.key)
            new.append(report)
    if new:
        Report.objects.bulk_create(_row(one, shares_code[one.student_id]) for one in new)
        _empty_old_reports(new)
        _update_standings(new)
        _update_students(new)
    return results


def _row(report: NewReport, shares_code: bool) -> Report:
    names = ("sequence", "lesson", "state", "hints", "verdict")
    return Report(
        student_id=report.student_id,
        device=report.device,
        code=report.values["code"] if shares_code else None,
        **{name: report.values[name] for name in names},
    )


def _empty_old_reports(reports: list[NewReport]) -> None:
    """Delete verdict and code of reports that no page shows, or one machine could fill the disk.

    Reports with code count apart: the last shared code stays, whatever comes after it.
    """
    with_content = Report.objects.filter(
        Q(verdict__isnull=False) | Q(code__isnull=False),
        student__in={report.student_id for report in reports},
        lesson__in={report.values["lesson"] for report in reports},
    )
    has_code = ExpressionWrapper(Q(code__isnull=False), BooleanField())
    place = Window(RowNumber(), ["student", "lesson", has_code], F("pk").desc())
    old = with_content.annotate(place=place).filter(place__gt=KEPT_REPORTS)
    Report.objects.filter(pk__in=old.values("pk")).update(verdict=None, code=None)


def _update_standings(reports: list[NewReport]) -> None:
    """The last report of a student and a lesson counts."""
    lessons = {report.values["lesson"] for report in reports}
    rows = Standing.objects.filter(
        student__in={report.student_id for report in reports}, lesson__in=lessons
    )
    standings = {(row.student_id, row.lesson): row for row in rows}
    changed = {}
    for report in reports:
        key = report.student_id, report.values["lesson"]
        changed[key] = standings[key] = _standing(report, standings.get(key))
    Standing.objects.bulk_create(
        changed.values(),
        update_conflicts=True,
        unique_fields=["student", "lesson"],
        update_fields=[*PROGRESS, "hints", "headline", "changed"],
    )


def _standing(report: NewReport, old: Standing | None) -> Standing:
    values = report.values
    diagnosis, headline = first_finding(values["verdict"] or {})
    new = Standing(
        student_id=report.student_id,
        diagnosis=diagnosis,
        headline=headline,
        **{name: values[name] for name in ("lesson", "state", "was_green", "is_read", "hints")},
    )
    if old and all(getattr(old, name) == getattr(new, name) for name in PROGRESS):
        new.changed = old.changed
    return new


def _update_students(reports: list[NewReport]) -> None:
    lesson_of = {report.student_id: report.values["lesson"] for report in reports}
    for lesson in set(lesson_of.values()):
        students = [pk for pk, last in lesson_of.items() if last == lesson]
        rows = Student.objects.filter(pk__in=students)
        rows.update(lesson=lesson, version=F("version") + 1)


def first_finding(verdict: dict) -> tuple[str, str]:
    """The diagnosis and the headline of a verdict that a student's machine claims.

    Both are empty where the verdict has no finding, or another shape than Verdict.as_json().
    """
    findings = [one.get("finding") for one in _dicts(verdict.get("outcomes"))]
    finding = next(_dicts([verdict.get("problem"), *findings]), {})
    diagnosis, message = finding.get("diagnosis"), finding.get("message")
    return (
        diagnosis[:MAX_DIAGNOSIS] if isinstance(diagnosis, str) else "",
        message[:MAX_HEADLINE] if isinstance(message, str) else "",
    )


def _dicts(values):
    values = values if isinstance(values, list) else []
    return (one for one in values if isinstance(one, dict))


def acknowledged(student_id: int, device: str) -> int:
    """The highest stored sequence of this device, 0 for none."""
    stored = Report.objects.filter(student_id=student_id, device=device)
    return stored.aggregate(highest=Max("sequence"))["highest"] or 0
