"""Lesson 13's table says what each channel layer does: measured, line by line."""

import pytest

from tests.redis.differences import FILE, read, table
from tests.support.redis.layer_probes import LINES

COLUMNS = read(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.__name__)
async def test_the_layer_does_what_the_table_says(layers, line):
    assert await line(layers) == COLUMNS[layers.kind].get(line.__doc__), (
        "python -m tests.redis.differences writes the table anew"
    )


def test_the_table_has_these_lines_and_no_others():
    assert FILE.read_text(encoding="utf-8") == table(COLUMNS)


def test_each_line_is_a_difference():
    for line in LINES:
        assert len({column[line.__doc__] for column in COLUMNS.values()}) > 1
