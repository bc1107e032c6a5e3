"""NOTES.md: its generated parts are up to date, and its links and proofs exist."""

import re

from lessons.workshop.authoring.notes import (
    FENCE,
    FOOTNOTE,
    NOTES,
    PROOF,
    TABLE,
    anchor_of,
    files_by_test,
    regenerated,
)
from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.course.lesson_text import split_chapters
from lessons.workshop.page.search.query import read_query
from lessons.workshop.page.search.search import recognised_diagnoses

TEXT = NOTES.read_text(encoding="utf-8")
PROSE = FENCE.sub("", TEXT)
KINDS_OF_CODE = {"python", "text", "js", "sh", "nginx", "ini", "yaml"}
HOSTS = {
    "asgi.readthedocs.io",
    "channels.readthedocs.io",
    "cheatsheetseries.owasp.org",
    "developer.mozilla.org",
    "docs.aws.amazon.com",
    "docs.djangoproject.com",
    "docs.python.org",
    "github.com",
    "htmx.org",
    "owasp.org",
    "www.asyncapi.com",
}


def anchors(text: str) -> set[str]:
    return {anchor_of(title) for title in re.findall(r"^#+ (.+)$", text, re.M)}


def test_the_notes_are_as_the_generator_writes_them():
    assert regenerated(TEXT).splitlines() == TEXT.splitlines(), (
        "run python3 -m lessons.workshop.authoring.notes"
    )


def test_every_proof_is_a_test_that_exists():
    proofs = PROOF.findall(PROSE)
    assert len(proofs) == len(re.findall(r"(?<=.)\[\^", PROSE)), "write [^test_name]"
    assert len(set(proofs)) > 250
    assert [name for name in proofs if not files_by_test().get(name)] == []


def test_each_chapter_ends_with_a_footnote_for_each_of_its_proofs():
    for chapter in split_chapters(TEXT):
        text, *footnotes = FOOTNOTE.split(chapter)
        assert "".join(footnotes[1::2]).strip() == ""
        assert footnotes[0::2] == list(dict.fromkeys(PROOF.findall(text)))
    for footnote in FOOTNOTE.finditer(TEXT):
        files = re.findall(r"\[(tests/\S+)\]\((\S+)\)", footnote[0])
        assert [file for file, _ in files] == files_by_test()[footnote["name"]]
        assert all(file == link for file, link in files)


def test_each_item_of_a_list_has_a_proof():
    """But for the introduction, and the definitions of terms."""
    _, *chapters = split_chapters(PROSE)
    items = re.findall(r"^- (?!A \*\*).*$", "".join(chapters), re.M)
    assert len(items) > 90
    assert [item for item in items if not PROOF.search(item)] == []


def test_the_text_has_at_most_14000_words():
    """Without code, transcripts, generated tables, and footnotes."""
    text = re.sub(r"\[\^\w+\]", "", FOOTNOTE.sub("", TABLE.sub("", PROSE)))
    assert 10_000 < len(text.split()) <= 14_000


def has_target(link: str) -> bool:
    if found := re.match(r"https://([\w.]+)/", link):
        return found[1] in HOSTS
    file, _, anchor = link.partition("#")
    return anchor in anchors(PROSE) if anchor else (PROJECT_DIR / file).exists()


def test_every_link_has_a_target():
    links = re.findall(r'\]\(([^\s)]*)(?: "[^"]*")?\)', PROSE)
    assert [link for link in links if not has_target(link)] == []


def test_python_is_shown_by_its_qualified_name_only():
    infos = [block["info"] for block in FENCE.finditer(TEXT)]
    assert [info for info in infos if info.startswith("python") and len(info.split()) != 2] == []
    assert {info.split()[0] for info in infos if info} <= KINDS_OF_CODE


def test_javascript_is_an_excerpt_of_its_file():
    for block in FENCE.finditer(TEXT):
        language, _, file = block["info"].partition(" ")
        if language == "js":
            assert block["body"] in (PROJECT_DIR / file).read_text(encoding="utf-8")


def test_every_generated_table_has_rows():
    assert [found["name"] for found in TABLE.finditer(TEXT) if "| --- |" not in found["body"]] == [
        "contents"
    ]


def test_every_column_has_a_name():
    heads = re.findall(r"^(\|.*\|)\n\| *-", PROSE, re.M)
    assert len(heads) > 30
    assert [head for head in heads if re.search(r"\| +\|", head)] == []


def test_the_search_recognises_each_error_of_the_table():
    folder = "lessons/workshop/course/diagnoses"
    row = rf"^\| `(?P<error>[^`]+)` \| \[(?P<id>[\w-]+)\]\((?P<file>{folder}/.+)\) \|$"
    rows = [found.groupdict() for found in re.finditer(row, TEXT, re.M)]
    assert len(rows) > 20
    for found in rows:
        assert found["id"] in recognised_diagnoses(read_query(found["error"]))
        assert f"\n[{found['id']}]\n" in (PROJECT_DIR / found["file"]).read_text(encoding="utf-8")
