"""`bench room`: what counts as lost, as stored twice, and as a delay."""

from types import SimpleNamespace

from lessons.bench import room
from lessons.bench.report import Options


def a_room(*sent_at, faults=()):
    students = [
        SimpleNamespace(
            number=number, device=f"d{number}", sent_at=list(times), errors={}, connections=2
        )
        for number, times in enumerate(sent_at, start=1)
    ]
    return SimpleNamespace(
        students=students,
        faults=list(faults),
        right_after=[1.26, 2.0],
        samples=[(2**20 * (90 + n), 60 + n) for n in range(8)],
    )


def test_a_verdict_that_the_board_skips_counts_until_a_newer_one_is_drawn():
    found = room.figures_of(
        a_room([1000, 1100], [2000, 2100, 2200]),
        {1: {1: 1050, 2: 1300}, 2: {3: 2400}},
        [["d1", 1], ["d1", 2], ["d2", 1], ["d2", 2], ["d2", 3]],
    )
    # 50, 200, 400, 300, 200
    assert (found["drawn_median_ms"], found["drawn_max_ms"]) == (200, 400)
    assert (found["verdicts"], found["lost"], found["twice"]) == (5, 0, 0)
    assert (found["right_after_server_s"], found["right_after_redis_s"]) == (1.3, 2.0)
    assert (found["memory_mb"], found["open_files"]) == ([92.0, 97.0], [62, 67])
    assert found["reconnections"] == 2


def test_lost_verdicts_and_those_stored_twice_are_counted():
    stored = [["d1", 1], ["d1", 1], ["d1", 3]]
    found = room.figures_of(a_room([1000, 1100, 1200]), {1: {3: 1300}}, stored)
    assert (found["lost"], found["twice"]) == (1, 1)


def test_a_delay_during_a_fault_does_not_count():
    sent = [1000, 5000, 9000]
    found = room.figures_of(
        a_room(sent, faults=[(4900, 8000)]),
        {1: {1: 1010, 2: 7900, 3: 9020}},
        [["d1", 1], ["d1", 2], ["d1", 3]],
    )
    assert found["drawn_max_ms"] == 20


def test_a_class_survives_the_loss_of_a_server_and_of_redis(redis_binaries, chromium, monkeypatch):
    monkeypatch.setattr(room, "INTERVAL", 0.5)
    monkeypatch.setattr(room, "SERVER_GONE", 0.1)
    monkeypatch.setattr(room, "REDIS_GONE", 0.1)
    report = room.run(Options(connections=4, seconds=3.0))
    assert report.fault == ""
    assert report.figures["verdicts"] >= 4
    assert [report.figures[name] for name in ("lost", "twice", "errors")] == [0, 0, 0]
    assert report.figures["reconnections"] >= 2  # half of the class
    assert "verdicts lost " in report.table


def test_a_run_that_loses_a_verdict_reports_a_fault(monkeypatch):
    figures = room.figures_of(a_room([1000, 1100]), {1: {2: 1300}}, [["d1", 1]])
    monkeypatch.setattr(room, "measure", lambda count, seconds: figures)
    assert room.run(Options(quick=True)).fault == "Verdicts were lost, stored twice or refused."
