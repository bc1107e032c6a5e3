"""Lesson 13's table says what each channel layer does: measured, row by row."""

import pytest

from lessons.workshop.authoring.notes import LAYERS_TABLE
from tests.support.redis.layer_probes import PROBES, measured_table, read_measured_table

COLUMNS = read_measured_table(LAYERS_TABLE)


@pytest.mark.parametrize("name", PROBES)
async def test_the_layer_behaves_as_the_table_says(layers, name):
    assert await PROBES[name](layers) == COLUMNS[layers.kind].get(name), (
        "python3 -m tests.support.redis.layer_probes measures the table again"
    )


def test_the_table_has_a_row_for_each_probe_and_no_other():
    assert LAYERS_TABLE.read_text(encoding="utf-8") == measured_table(COLUMNS)
    for column in COLUMNS.values():
        assert [*column] == [*PROBES]


def test_each_row_is_a_difference():
    for name in PROBES:
        assert len({column[name] for column in COLUMNS.values()}) > 1
