"""README.md, the guides, the lessons and NOTES.md: each link has a target, each command exists."""

import re

import pytest
from django.conf import settings
from django.core.management import get_commands

from lessons.workshop.authoring.notes import anchor_of

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
