"""`manage.py bench` measures once what it measures by default many times."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from lessons.workshop.measure import event, group_send
from lessons.workshop.measure.verdict import MOMENTS


@pytest.fixture
def bench(settings, tmp_path):
    settings.STATE_DIR = tmp_path

    def run(*arguments):
        output = StringIO()
        call_command("bench", *arguments, stdout=output)
        return output.getvalue()

    return run


def test_event_has_a_row_for_each_shape_and_a_short_run_is_not_saved(bench, tmp_path):
    shown = bench("event", "--rounds", "1")
    rows = re.findall(r"^(daphne|uvicorn) +(\S.*?) +[\d.]+ +\d+ +\d+$", shown, re.M)
    assert rows == [(server, shape) for server in event.SERVERS for shape in event.SHAPES]
    assert list(tmp_path.iterdir()) == []


def test_group_send_has_a_row_for_each_version(redis_binaries):
    rows = group_send.run(rounds=1, sizes=(2, 4)).splitlines()[1:]
    assert [re.split(r" +[\d.]+ ", row)[0] for row in rows] == [*group_send.VERSIONS]


@pytest.mark.parametrize("name", ["event", "group_send"])
def test_the_profile_has_the_bare_cost_and_the_calls_of_a_consumer(bench, monkeypatch, name):
    monkeypatch.setattr("lessons.workshop.measure.in_process.ROUNDS", 1)
    shown = bench(name, "--profile")
    assert re.search(r"^bare ASGI function +[\d.]+ µs an event\n", shown, re.M)
    assert re.search(r"\n\nAsyncConsumer:\n\d+ function calls", shown)


def test_verdict_has_the_moments_of_each_lesson(bench):
    shown = bench("verdict", "accept", "--rounds", "1")
    assert all(moment in shown for moment in MOMENTS)
    assert re.search(r"^ 1 accept( +\d+){3}$", shown, re.M)


@pytest.mark.parametrize(
    "words", ["event --rounds 0", "event stop", "verdict --profile", "verdict 99"]
)
def test_wrong_usage_ends_with_2(bench, words):
    with pytest.raises(CommandError) as refused:
        bench(*words.split())
    assert refused.value.returncode == 2
