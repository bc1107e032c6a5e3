"""Code, comments, tests and the READMEs use plain words.

Most readers read English as a second language. Each pattern below has the words to write instead.
The texts of the lessons and the diagnoses are not checked here.
"""

import re

import pytest
from django.conf import settings

INSTEAD = {
    r"whoever|whomever|whom|somebody|nobody": "the client, the user, a student, no client",
    r"anew|once more": "again, a new one",
    r"tells|told": "sends, reports, receives, is notified",
    r"shows? out|shown out|shut(?! down)": "close, is closed",
    r"(?:is|are|was|were) gone|is away|(?:is|are) no longer there": "was deleted, is unreachable",
    r"(?<!there )is no(?! longer)|there is none": "is not a, does not exist",
    r"of its own|of their own|one's own": "its own, a private one",
    r"be it|as it came|as it stands|all the same": "even if, unchanged, anyway",
    r"what crosses|the way|at rest|under way": "events, delivery, idle, in progress",
    r"in place of": "instead of",
    r"a blank": "a space",
    r"meanwhile|elsewhere": "at the same time, in another place",
}
# Quotations from lessons and exercises, by file.
QUOTATIONS = {
    "auth_demo/consumers.py": ['"nobody"'],
    "tests/auth_demo/test_19_logout.py": ['"nobody"'],
    "tests/real/redis/demos/test_auth_two_servers.py": ['"nobody"'],
    "tests/submissions/19_logout.toml": ['"nobody"'],
}

FOLDERS = (".ci", "*_demo", "lessons", "tests")
KINDS = {".py", ".js", ".css", ".html", ".toml", ".md", ""}
SKIPPED = re.compile(
    r"lessons/(?!README\.md$)|lessons/workshop/course/diagnoses/"
    r"|tests/project/test_plain_english\.py$|lessons/workshop/page/static/lessons/vendor/codemirror\.js$"
)
PATTERN = {word: re.compile(rf"(?<![\w-])(?:{word})(?!\w)", re.I) for word in INSTEAD}


def checked_files():
    """Yield the names of the files to check, relative to the project."""
    root = settings.BASE_DIR
    files = [file for folder in FOLDERS for top in root.glob(folder) for file in top.rglob("*")]
    for file in [*root.glob("*"), *files]:
        name = file.relative_to(root).as_posix()
        if file.suffix in KINDS and not SKIPPED.match(name) and file.is_file():
            yield name


def findings(name, text):
    """Return the lines with such words, each with its number and the words to write instead."""
    for quotation in QUOTATIONS.get(name, ()):
        text = text.replace(quotation, "")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace("_", " ")  # names are read too: test_nobody_hears
        for word, pattern in PATTERN.items():
            if found := pattern.search(words):
                yield f"{name}:{number}: {found[0]!r}, write: {INSTEAD[word]}"


@pytest.mark.parametrize(
    "line", ["# Whoever calls this", "def test_it_is_told():", "The server is gone.", "is no list"]
)
def test_finds_words_that_are_hard_to_read(line):
    assert list(findings("a.py", line))


@pytest.mark.parametrize("line", ["There is no such room.", "It is no longer open.", "untold"])
def test_accepts_plain_words(line):
    assert list(findings("a.py", line)) == []


def test_the_project_is_written_in_plain_words():
    root = settings.BASE_DIR
    found = [
        finding
        for name in checked_files()
        for finding in findings(name, (root / name).read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def test_every_quotation_is_still_there():
    for name, quotations in QUOTATIONS.items():
        text = (settings.BASE_DIR / name).read_text(encoding="utf-8")
        assert [quotation for quotation in quotations if quotation not in text] == []
