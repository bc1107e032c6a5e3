"""`manage.py bench` measures in a moment what it measures by default in minutes."""

from io import StringIO

import pytest
from django.core.management import call_command

from lessons.workshop.measure.echo import SHAPES
from lessons.workshop.measure.verdict import PEER


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (["echo", "--seconds", "0.1"], SHAPES.values()),
        (["verdict", "--lesson", "stop"], [PEER, "save to claims", "save to a red verdict"]),
    ],
)
def test_a_benchmark_prints_a_row_for_each_kind_and_does_not_save_a_short_run(
    settings, tmp_path, arguments, rows
):
    settings.STATE_DIR = tmp_path
    output = StringIO()
    call_command("bench", *arguments, "--rounds", "1", stdout=output)
    lines = output.getvalue().splitlines()
    assert [row for row in rows if not any(line.startswith(row) for line in lines)] == []
    assert lines[-1].startswith("Not saved: ")
    assert list(tmp_path.iterdir()) == []
