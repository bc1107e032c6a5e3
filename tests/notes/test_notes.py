"""NOTES.md: what is cut, recorded, made or linked in it is what there is."""

import re

from lessons.authoring.notes import FENCE, NOTES, PROOF, TABLE, files_by_test, regenerated
from lessons.core.catalogue import PROJECT_DIR

TEXT = NOTES.read_text(encoding="utf-8")
PROSE = FENCE.sub("", TEXT)
HOSTS = {"asgi.readthedocs.io", "cheatsheetseries.owasp.org", "owasp.org"}


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_notes_are_as_they_would_be_made_now():
    assert regenerated(TEXT).splitlines() == TEXT.splitlines(), (
        "run python3 -m lessons.authoring.notes"
    )


def test_every_proof_is_a_test_that_there_is():
    proofs = PROOF.findall(TEXT)
    assert len(proofs) == TEXT.count("[test]("), "write them as lessons/authoring/notes.py says"
    assert [
        (file, name) for file, name in proofs if file not in files_by_test().get(name, [])
    ] == []


def leads_somewhere(link: str) -> bool:
    if found := re.match(r"https://([\w.]+)/", link):
        return found[1] in HOSTS
    file, _, anchor = link.partition("#")
    return anchor in anchors(PROSE) if anchor else (PROJECT_DIR / file).exists()


def test_every_link_leads_somewhere():
    links = re.findall(r'\]\(([^\s)]*)(?: "[^"]*")?\)', PROSE)
    assert [link for link in links if not leads_somewhere(link)] == []


def test_python_stands_there_by_name_alone():
    infos = [block["info"] for block in FENCE.finditer(TEXT)]
    assert [info for info in infos if info.startswith("python") and len(info.split()) != 2] == []
    assert {info.split()[0] for info in infos if info} <= {"python", "text", "js", "sh", "nginx"}


def test_a_script_of_the_page_is_shown_as_it_is():
    for block in FENCE.finditer(TEXT):
        language, _, file = block["info"].partition(" ")
        if language == "js":
            assert block["body"] in (PROJECT_DIR / file).read_text(encoding="utf-8")


def test_every_table_that_is_made_has_something_in_it():
    assert [found["name"] for found in TABLE.finditer(TEXT) if "| --- |" not in found["body"]] == []


def test_every_column_has_a_name():
    heads = re.findall(r"^(\|.*\|)\n\| *-", PROSE, re.M)
    assert len(heads) > 40
    assert [head for head in heads if re.search(r"\| +\|", head)] == []
