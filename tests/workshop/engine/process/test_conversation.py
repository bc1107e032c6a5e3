"""play(): time passes in a conversation, and a server or a bug may end it."""

import json

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process import conversation
from lessons.workshop.engine.process.child_process import NoAnswer
from lessons.workshop.engine.process.conversation import (
    UnknownStep,
    UnknownTarget,
    play,
    play_in_turns,
)


def played(name, *steps):
    """The events of the conversation: the text of each frame, the type of every other event."""
    events = play(find("push"), name, list(steps))
    return [event.message.get("text", event.message.get("type")) for event in events]


BEGUN = ["scope", "websocket.connect", "websocket.accept"]


def test_events_that_are_due_arrive_while_the_client_waits():
    assert played("solution", "connect", "wait 2") == [*BEGUN, "1", "2"]


def test_the_times_of_the_events_include_waits():
    *_, accept, first, second = play(find("push"), "solution", ["connect", "wait 2"])
    assert 1 <= first.time - accept.time < second.time - accept.time - 0.9 < 2


def test_the_times_of_the_events_include_blocking_sleeps():
    *_, baking, done = play(find("blocking"), "solution", ["connect", "text rye", "wait 2"])
    assert (baking.message["text"], done.message["text"]) == ("baking rye", "rye is done")
    assert done.time - baking.time >= 2


def test_a_kill_and_a_crash_end_the_consumer():
    assert played("solution", "connect", "kill") == [*BEGUN, "cancelled"]
    assert played("solution", "connect", "crash") == [*BEGUN, "bug.in.a.handler", "raised"]


def test_after_a_broken_rule_only_waits_are_played():
    steps = ["connect", "close 1001", "text hello", "wait 1"]
    ended = [*BEGUN, "websocket.disconnect", "finished"]
    assert played("mistake:LeavesItRunning", *steps) == [*ended, "1"]


def test_all_clients_share_one_middleware_and_a_request_may_have_a_path():
    steps = ["connect", "text hello", "2 GET /async/health/"]
    events = play(find("deploy"), "async_demo.consumers.SlowEcho", steps)
    scopes = [it.message["path"] for it in events if it.message["type"] == "scope"]
    bodies = [it.message["body"] for it in events if it.message["type"] == "http.response.body"]
    assert scopes == ["/ws/async/deploy/", "/async/health/"]
    assert bodies == [b"ok, open: 1, busy: 1\n"]


def test_an_unknown_step_is_named_with_the_steps_that_are_known():
    with pytest.raises(UnknownStep, match=r"'sleep 1' is unknown: write connect, .*, seed\."):
        played("solution", "connect", "sleep 1")


def test_a_client_that_is_not_connected_takes_no_step():
    with pytest.raises(UnknownStep, match="Client 2 is not connected: write connect before"):
        played("solution", "connect", "2 text hello")


def test_capacity_is_refused_after_the_first_step():
    with pytest.raises(UnknownStep, match="write it as the first step"):
        played("solution", "connect", "capacity 3")


def test_several_clients_take_turns_on_their_own_paths():
    steps = ["connect", "2 connect /ws/two/", "wait 1", "2 close 1001", "close 1001"]
    events = play(find("push"), "solution", steps)
    first, second = dict.fromkeys(event.connection for event in events)
    seen = [
        (event.connection, event.message.get("path") or event.message.get("text"))
        for event in events
        if event.message["type"] in ("scope", "websocket.send")
    ]
    assert seen == [(first, "/ws/async/push/"), (second, "/ws/two/"), (first, "1"), (second, "1")]


def test_a_client_may_vanish_and_reconnect_in_the_same_browser():
    lesson = find("logout")
    steps = ["connect as=student", "2 connect as=student", "vanish", "connect as=student"]
    turns = play_in_turns(lesson, lesson.demo, [*steps, "text logout"])
    assert [(turn.client, turn.step) for turn in turns][2:] == [
        (1, "vanish"),
        (1, "connect as=student"),
        (1, "text logout"),
    ]
    left = [event.message for _, event in turns[2].events if event.direction == "in"]
    assert left == [{"type": "websocket.disconnect", "code": 1006}]
    closed = [
        number for number, event in turns[4].events if event.message["type"] == "websocket.close"
    ]
    assert sorted(closed) == [1, 2]


def test_another_process_may_send_to_a_channel():
    assert played("solution", "connect", 'layer {"type": "a.bug"}') == [*BEGUN, "a.bug", "raised"]


def test_capacity_limits_the_channels_of_the_layer():
    steps = ["connect", "text group"]
    arrived = [
        sum(event.message["type"] == "burst.part" for event in events)
        for events in (
            play(find("delivery"), "layers_demo.consumers.Burst", ["capacity 1", *steps]),
            play(find("delivery"), "layers_demo.consumers.Burst", ["capacity 3", *steps]),
        )
    ]
    assert arrived == [2, 4]


def frames_of(events):
    """The texts of the frames that the client received."""
    return [it.message["text"] for it in events if it.message["type"] == "websocket.send"]


def test_a_worker_handles_jobs_after_its_step():
    steps = ["connect", "text 91", "wait 1", "worker primes", "close 1001"]
    events = play(find("worker"), "layers_demo.consumers.Primes", steps)
    types = [event.message["type"] for event in events]
    assert types.index("send") < types.index("primes.factor") < types.index("websocket.send")
    assert frames_of(events) == ["91 = 7 * 13"]


def test_another_process_may_save_a_row_or_roll_it_back():
    lesson = find("liveblog")
    steps = ["connect", 'rolled-back row db_demo.Post {"title": "Rain"}']
    steps += ['row db_demo.Post {"title": "Hail"}', 'row db_demo.Post {"id": 1, "title": "Sun"}']
    news = [json.loads(text) for text in frames_of(play(lesson, lesson.demo, steps))]
    assert [(post["id"], post["title"]) for post in news] == [(1, "Hail"), (1, "Sun")]
    frames = frames_of(play(lesson, "solution", steps))
    assert frames == ['{"saved": 1, "title": "Hail"}', '{"saved": 1, "title": "Sun"}']


EVENT = dict.fromkeys(["time", "seq"], 1) | dict.fromkeys(["thread", "handler", "connection"], "a")
EVENT |= {"lane": "client", "direction": "in", "message": {}}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "events",
        {},
        {"result": [1]},
        {"result": [EVENT | {"message": "text"}]},
        {"finding": {"x": 1}},
    ],
)
def test_an_answer_in_another_form_is_not_an_answer(monkeypatch, answer):
    monkeypatch.setattr(conversation, "run_isolated", lambda *arguments: answer)
    with pytest.raises(NoAnswer, match="not an answer"):
        played("solution", "connect")


def test_an_event_in_an_answer_is_read(monkeypatch):
    monkeypatch.setattr(conversation, "run_isolated", lambda *arguments: {"result": [EVENT]})
    assert played("solution", "connect") == [None]


def test_a_name_that_no_module_has_is_an_unknown_target():
    with pytest.raises(UnknownTarget, match=r"sync_demo\.consumers has no Horn"):
        play(find("stop"), "sync_demo.consumers.Horn", ["connect"])
