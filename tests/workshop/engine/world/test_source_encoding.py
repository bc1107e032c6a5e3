"""A student's file is decoded as Python decodes it, wherever it is read."""

import re

import pytest

from lessons.workshop.course.source_code import Source, read_python
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.world.student_module import load_file

LATIN = "# -*- coding: latin-1 -*-\n"
STYLES = [("utf-8-sig", ""), ("latin-1", LATIN), ("utf-8", ""), ("utf-8-sig", "# coding: utf-8\n")]


@pytest.fixture
def mine(tmp_path):
    return tmp_path / "mine.py"


@pytest.mark.parametrize(("encoding", "line"), STYLES)
def test_a_file_is_read_as_python_reads_it_and_a_finding_names_its_line(encoding, line, mine):
    text = f"{line}class Café:\n    def order(self):\n        return 'é'\n"
    mine.write_text(text, encoding=encoding)
    first = text.split("\n").index("class Café:") + 1
    assert read_python(mine) == text
    assert Source(mine, first, "class Café:\n\n").methods() == {
        "order": range(first + 1, first + 3)
    }
    assert load_file(mine).Café().order() == "é"
    mine.write_text(f"{text}\nmissing\n", encoding=encoding)
    with pytest.raises(CheckFailed) as caught:
        load_file(mine)
    assert caught.value.finding.line == text.count("\n") + 2


@pytest.mark.parametrize(
    ("content", "line", "text"),
    [
        (b"# -*- coding: nonsense -*-\n", 1, "unknown encoding: nonsense"),
        (b"a = 1\nb = '\xe9'\n", 2, "can't decode byte 0xe9"),
        (b"\xef\xbb\xbf# coding: latin-1\n", 1, "encoding problem: utf-8"),
        # Python 3.14 says the second.
        (b"a = 1\n".decode().encode("utf-16"), 1, "encoding declaration|null bytes"),
    ],
)
def test_a_wrong_encoding_is_named_with_its_line(content, line, text, mine):
    mine.write_bytes(content)
    with pytest.raises(CheckFailed) as caught:
        load_file(mine)
    finding = caught.value.finding
    assert (finding.diagnosis, finding.line) == ("wrong-encoding", line)
    assert re.search(text, finding.detail)


def test_a_missing_file_and_an_unreadable_one_have_their_own_diagnoses(mine):
    for name in ("file-missing", "file-unreadable"):
        with pytest.raises(CheckFailed) as caught:
            load_file(mine)
        assert (caught.value.finding.diagnosis, caught.value.finding.file) == (name, str(mine))
        mine.mkdir(exist_ok=True)
