"""`bench soak` sees what connections leave behind."""

from lessons.bench import soak


def test_a_consumer_that_stops_leaves_nothing(monkeypatch):
    monkeypatch.setattr(soak, "STAY", 0)
    rows = soak.measure("sync_demo.consumers.Echo", connections=6, waves=2)
    assert [row["when"].partition(",")[0] for row in rows] == [
        "at first",
        "wave 1 connected",
        "wave 1 gone",
        "wave 2 connected",
        "wave 2 gone",
    ]
    assert rows[1]["tasks"] >= rows[0]["tasks"] + 6
    assert soak.is_clean(rows)


def test_one_thing_left_is_not_clean():
    rows = [
        {"when": "at first", "tasks": 1, "threads": 2, "groups": 0, "blocks": 350},
        {"when": "wave 1 connected", "tasks": 9, "threads": 2, "groups": 1, "blocks": 600},
        {"when": "wave 1 gone, 0.1 s", "tasks": 1, "threads": 2, "groups": 0, "blocks": 357},
    ]
    assert soak.is_clean(rows)
    for what in soak.SETTLED:
        left = {**rows[2], what: rows[2][what] + 1}
        assert not soak.is_clean([*rows[:2], left])
