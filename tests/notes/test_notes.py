"""NOTES.md: its generated parts are up to date, and it stays readable."""

import re

from lessons.workshop.authoring.notes import NOTES, anchor_of, regenerated
from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.course.lesson_text import BLOCK
from lessons.workshop.page.search import read_query, recognised_diagnoses

TEXT = NOTES.read_text(encoding="utf-8")
PROSE = BLOCK.sub("", TEXT)
ANCHORS = [anchor_of(title) for title in re.findall(r"^#+ (.+)$", PROSE, re.M)]


def test_the_notes_are_as_the_generator_writes_them():
    assert regenerated(TEXT).splitlines() == TEXT.splitlines(), (
        "run python3 -m lessons.workshop.authoring.notes"
    )


def test_no_two_headings_have_the_same_anchor():
    assert len(set(ANCHORS)) == len(ANCHORS)


def test_a_linked_test_file_is_shown_by_its_name():
    tests = re.findall(r"\[([^]]+)\]\((tests/[^)]+\.py)\)", PROSE)
    assert len(tests) > 80
    assert [file for name, file in tests if not file.endswith(f"/{name}")] == []


def test_the_notes_have_at_most_12000_words():
    assert len(TEXT.split()) <= 12_000


def test_python_is_shown_by_its_qualified_name_only():
    infos = [block["info"] for block in BLOCK.finditer(TEXT)]
    assert [info for info in infos if info.startswith("python") and len(info.split()) != 2] == []
    assert {info.split()[0] for info in infos if info} == {"python", "text", "sh", "nginx"}


def test_the_search_recognises_each_error_of_the_table():
    folder = "lessons/workshop/course/diagnoses"
    row = rf"^\| `(?P<error>[^`]+)` \| \[(?P<id>[\w-]+)\]\((?P<file>{folder}/.+)\) \|$"
    rows = [found.groupdict() for found in re.finditer(row, TEXT, re.M)]
    assert len(rows) > 20
    for found in rows:
        assert found["id"] in recognised_diagnoses(read_query(found["error"]))
        assert f"\n[{found['id']}]\n" in (PROJECT_DIR / found["file"]).read_text(encoding="utf-8")
