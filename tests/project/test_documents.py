"""README.md, the guides, the lessons and NOTES.md: each link has a target, each command exists."""

import re

import pytest
from django.conf import settings
from django.core.management import get_commands

from lessons.workshop.authoring.notes import anchor_of
from lessons.workshop.course.lesson_index import lessons

ROOT = settings.BASE_DIR
CODE = re.compile(r"^(`{3,}|~{3,}).*?^\1 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILES = [ROOT / "README.md", ROOT / "NOTES.md", *sorted((ROOT / "lessons").rglob("*.md"))]


def text_of(file):
    """The text without its blocks of code."""
    return CODE.sub("", file.read_text(encoding="utf-8"))


def anchors(file):
    """The anchors of all headings, and those that HTML names."""
    text = text_of(file)
    found = set(map(anchor_of, re.findall(r"^#+ (.+)$", text, re.M)))
    return found | set(re.findall(r'(?:id|name)="([^"]+)"', text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_link_has_a_target(file):
    for link in LINK.findall(text_of(file)):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:|/", link):  # of another site, or of a server
            continue
        target = file.parent / path if path else file
        assert target.exists(), link
        assert not anchor or target.suffix != ".md" or anchor in anchors(target), link


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_each_command_exists(file):
    named = re.findall(r"manage\.py ([a-z]\w+)", file.read_text(encoding="utf-8"))
    assert set(named) <= set(get_commands())


def numbers_in(cell):
    """The numbers in a cell such as `0 to 3, 5`."""
    parts = [[int(number) for number in re.findall(r"\d+", part)] for part in cell.split(",")]
    return {number for ends in parts for number in range(ends[0], ends[-1] + 1)}


@pytest.mark.parametrize("app", ["sync", "async", "layers", "auth", "db"])
def test_the_readme_names_the_demo_and_the_number_of_each_lesson_of_an_app(app):
    row = re.search(rf"^\| \[{app}_demo\].*$", (ROOT / "README.md").read_text("utf-8"), re.M)[0]
    _, _, classes, numbers, _ = (cell.strip() for cell in row.strip("|").split("|"))
    here = [one for one in lessons() if one.demo.startswith(f"{app}_demo.")]
    named = set(re.findall(r"\w+", classes))
    assert [one.demo for one in here if one.demo.rpartition(".")[2] not in named] == []
    known = {one.number for one in lessons()}
    assert numbers_in(numbers) & known == {one.number for one in here}
