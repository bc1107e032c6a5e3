"""A session plays conversations in a child process, and believes nothing that the child sends."""

import os
import signal
import subprocess
import sys

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import Place
from lessons.workshop.engine.process import child_process
from lessons.workshop.engine.process import session as session_module
from lessons.workshop.engine.process.session import Played, PlayOptions, Session, SessionEnded
from lessons.workshop.engine.process.target import Target, resolve

GAME = """\
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer

class Guess(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        RECEIVE

    def websocket_disconnect(self, event):
        raise StopConsumer()
"""

NEWS = """
    def news(self, event):
        self.send({"type": "websocket.send", "text": "news"})
"""


def target(receive="", source=GAME, key="stop"):
    lesson = find(key)
    source = source.replace("RECEIVE", receive or "self.send({**event, 'type': 'websocket.send'})")
    names = lesson.exercise_name, lesson.exercise_base
    return Target("submission", lesson.exercise, *names, source)


@pytest.fixture
def play():
    """Plays a conversation, given as one text, with a consumer whose receive is `receive`."""
    opened = []

    def play(conversation, receive="", source=GAME, lesson="stop", **options):
        session = Session(find(lesson), target(receive, source, lesson), timeout=2)
        opened.append(session.__enter__())
        session.wait_until_loaded()
        assert session.problem is None
        return session.play(conversation.split(" | "), PlayOptions(**options))

    yield play
    for session in opened:
        session.__exit__()


def messages(played, client=1):
    turns = [turn.clients[client].received for turn in played.turns if client in turn.clients]
    return [[message for _, message in turn] for turn in turns]


def test_reports_what_each_client_receives_in_each_burst(play):
    played = play("connect | 2 connect | text a | & 2 bytes 00ff")
    assert messages(played) == [
        [{"type": "websocket.accept"}],
        [],
        [{"type": "websocket.send", "text": "a"}],
    ]
    assert messages(played, 2)[-1] == [{"type": "websocket.send", "bytes": b"\x00\xff"}]


def test_a_frame_holds_the_unused_key_as_none_if_the_first_step_says_so(play):
    receive = "self.send({'type': 'websocket.send', 'text': repr(sorted(event))})"
    assert messages(play("connect | text a", receive))[1][0]["text"] == "['text', 'type']"
    both = messages(play("keys both | connect | text a", receive))[1][0]["text"]
    assert both == "['bytes', 'text', 'type']"


def test_frames_in_the_air_arrive_before_the_disconnect(play):
    receive = "self.send({'type': 'websocket.close'}) if event['text'] == 'a' else print(event)"
    played = play("connect | text a | & text b", receive)
    assert messages(played)[1] == [{"type": "websocket.close"}]
    assert played.turns[1].clients[1].ended
    assert not played.turns[1].faults


def test_a_step_at_a_point_is_taken_while_a_frame_is_handled(play):
    receive = (
        "self.send({'type': 'websocket.send', 'text': 'one'}); "
        "self.send({'type': 'websocket.send', 'text': 'two'})"
    )
    whole = play("connect | text a | & close", receive)
    assert messages(whole)[1] == []
    cut = play("connect | text a | at 0 close", receive)
    assert [message["text"] for message in messages(cut)[1]] == ["one"]
    assert cut.turns[1].points == 2


def test_a_client_that_was_closed_sends_nothing_more(play):
    receive = "self.send({'type': 'websocket.close'})"
    played = play("connect | text a | text b", receive)
    assert messages(played)[2] == []


def test_reports_a_fault_with_the_line_of_the_student(play):
    played = play("connect | text a", "1 / 0")
    [fault] = played.turns[1].faults
    assert (fault.client, fault.finding.diagnosis, fault.finding.line) == (1, "exception", 9)
    assert "ZeroDivisionError" in fault.finding.detail


def test_reports_the_line_that_sent_each_message_if_asked(play):
    assert play("connect").turns[0].clients[1].sent_at == (None,)
    assert play("connect", lines=True).turns[0].clients[1].sent_at == (
        (6, "Guess.websocket_connect"),
    )


def test_reports_a_thread_and_a_coroutine_that_are_left_behind(play):
    receive = (
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    assert [it.diagnosis for it in play("connect | text a", receive).leftovers] == [
        "thread-left-behind"
    ]
    receive = "AsyncConsumer.send(self, {})"
    assert [it.diagnosis for it in play("connect | text a", receive).leftovers] == ["never-awaited"]


LEAVES = """\
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

pool = ThreadPoolExecutor(1)

def bake():
    time.sleep(50)

def keep_warm():
    while True:
        time.sleep(5)

class Notepad(AsyncConsumer):
    left = 3

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        LEAVE

    def tick(self):
        asyncio.get_running_loop().call_later(1, self.tick)

    def count_down(self):
        self.left -= 1
        if self.left:
            asyncio.get_running_loop().call_later(200, self.count_down)

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""
LEFT = {
    "an endless job": ("pool.submit(keep_warm)", ("thread-left-behind", 15)),
    "an endless job of the loop": (
        "asyncio.get_running_loop().run_in_executor(pool, keep_warm)",
        ("thread-left-behind", 15),
    ),
    "a job behind an endless one": (
        "pool.submit(keep_warm), pool.submit(bake)",
        ("thread-left-behind", 15),
    ),
    "a timer that is set again": ("self.tick()", ("thread-left-behind", 24)),
}
ENDS = {
    "jobs in a row": "[pool.submit(bake) for _ in range(5)]",
    "a job of the loop": "asyncio.get_running_loop().run_in_executor(pool, bake)",
    "a timer that counts down": "self.count_down()",
    "a cancelled timer": "asyncio.get_running_loop().call_later(1, self.tick).cancel()",
}


@pytest.mark.parametrize("leave, expected", LEFT.values(), ids=LEFT)
def test_reports_a_job_or_timer_that_never_ends(play, leave, expected):
    source = LEAVES.replace("LEAVE", leave)
    left = play("connect | close", source=source, lesson="await").leftovers
    assert [(it.diagnosis, it.line) for it in left] == [expected]


@pytest.mark.parametrize("leave", ENDS.values(), ids=ENDS)
def test_a_job_or_timer_that_ends_is_not_left_behind(play, leave):
    source = LEAVES.replace("LEAVE", leave)
    assert play("connect | close", source=source, lesson="await").leftovers == ()


@pytest.mark.parametrize("end", ["", " | kill"])
def test_a_consumer_that_was_killed_has_left_no_timer_behind(play, end):
    source = LEAVES.replace("LEAVE", "self.tick()")
    assert play(f"connect{end}", source=source, lesson="await").leftovers == ()


def test_a_job_ends_before_the_next_conversation(play):
    counts = "import sys; sys.ended = getattr(sys, 'ended', 0) + 1"
    source = LEAVES.replace("time.sleep(50)", f"time.sleep(5); time.sleep(5); {counts}")
    source = source.replace("LEAVE", "print(getattr(sys, 'ended', 0)); pool.submit(bake)")
    with Session(find("await"), target("", f"import sys\n{source}", "await")) as session:
        session.wait_until_loaded()
        printed = [session.play(["connect"]).output for _ in range(3)]
    assert printed == ["0\n", "1\n", "2\n"]


def test_each_conversation_imports_the_file_again(play):
    source = GAME.replace("class Guess", "seen = []\n\nclass Guess")
    receive = "seen.append(1); self.send({'type': 'websocket.send', 'text': str(len(seen))})"
    lesson = find("stop")
    with Session(lesson, target(receive, source)) as session:
        session.wait_until_loaded()
        texts = [messages(session.play(["connect", "text a"]))[1][0]["text"] for _ in range(2)]
    assert texts == ["1", "1"]


def test_a_handler_that_does_not_return_is_reported_and_the_session_goes_on(play, monkeypatch):
    lesson = find("stop")
    with Session(lesson, target("while event['text'] == 'a': pass"), timeout=0.5) as session:
        session.wait_until_loaded()
        stuck = session.play(["connect", "text a"])
        assert stuck.stuck.diagnosis == "stuck"
        assert stuck.stuck.line == 9
        assert len(stuck.turns) == 1
        assert len(session.play(["connect", "text b"]).turns) == 2


def test_a_process_that_ends_is_reported():
    with Session(find("stop"), target("import os; os._exit(3)")) as session:
        session.wait_until_loaded()
        with pytest.raises(SessionEnded) as ended:
            session.play(["connect", "text a"])
    assert ended.value.finding.diagnosis == "process-died"
    assert "exit code 3" in ended.value.finding.detail


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="it has no real-time signals")
def test_a_process_that_a_signal_without_a_name_ends_is_reported():
    number = signal.SIGRTMIN + 1
    with Session(find("stop"), target(f"import os; os.kill(os.getpid(), {number})")) as session:
        session.wait_until_loaded()
        with pytest.raises(SessionEnded) as ended:
            session.play(["connect", "text a"])
    assert ended.value.finding.detail == f"The process ended by signal {number}."


def test_a_file_that_cannot_be_imported_is_a_problem():
    with Session(find("stop"), target(source="import nothing_of_that_name")) as session:
        session.wait_until_loaded()
    assert session.problem.diagnosis == "import-error"
    assert session.problem.line == 1


@pytest.mark.parametrize(
    "change",
    [
        {"turns": "no list"},
        {"leftovers": [{"diagnosis": "of-no-catalogue", "message": ""}]},
        {"leftovers": [{"diagnosis": 3, "message": ""}]},
        {"stuck": {"diagnosis": "stuck"}},
        {"output": 7},
        {"cut": "many"},
        {"turns": [{"steps": [], "clients": {"1": {}}, "answers": [], "faults": []}]},
    ],
)
def test_a_forged_report_is_refused(change):
    report = {"turns": [], "leftovers": [], "events": [], "stuck": None}
    report |= {"thread_sleeps": [], "output": "", "cut": 0}
    assert session_module._read_played(report) == Played(())
    report |= change
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError)):
        session_module._read_played(report)


def test_a_str_that_equals_everything_arrives_as_a_text(play):
    receive = (
        "Yes = type('Yes', (str,), {'__eq__': lambda *_: True, '__hash__': str.__hash__}); "
        "self.send({'type': 'websocket.send', 'text': Yes('no')})"
    )
    [message] = messages(play("connect | text a", receive))[1]
    assert type(message["text"]) is str
    assert message == {"type": "websocket.send", "text": "no"}


def test_the_same_conversation_gives_the_same_report(play):
    steps = "seed 5 | connect | 2 connect | text a | & 2 text b | & text c | at 1 2 close"
    first, second = (play(steps) for _ in range(2))
    assert first == second


def test_random_numbers_and_hashes_are_the_same_in_each_session(play, monkeypatch):
    monkeypatch.setattr(child_process, "start_method", child_process.clean_start_method)
    receive = """
        import random
        text = f"{random.random()} {hash('a text')}"
        self.send({"type": "websocket.send", "text": text})"""
    first, second = (messages(play("connect | text hello", receive)) for _ in range(2))
    assert first == second
    if hasattr(os, "fork"):
        command = [sys.executable, "-c", "print(hash('a text'))"]
        usual = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True)
        assert first[-1][0]["text"].split()[1] == usual.stdout.strip()


def test_a_place_is_a_line_of_the_students_file(play):
    place = play("connect").turns[0].clients[1].place
    assert isinstance(place, Place)
    assert (place.line, place.handler) == (5, "Guess.websocket_connect")
    assert place.file == str(resolve(find("stop")).file)


WORKER = """\
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

class Clerk(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        job = {"type": "job.do", "number": event["text"], "to": self.channel_name}
        await get_channel_layer("encrypted").group_add("guests", self.channel_name)
        await self.channel_layer.send("jobs", job)

    async def websocket_disconnect(self, event):
        await get_channel_layer("encrypted").group_discard("guests", self.channel_name)
        raise StopConsumer()

class Work(AsyncConsumer):
    async def job_do(self, event):
        int(event["number"])

channel_name_patterns = {"jobs": Work.as_asgi()}
"""


def test_a_fault_of_a_worker_belongs_to_the_turn_that_caused_it(play):
    played = play(
        "worker jobs | connect | text 1 | text one | text 2", source=WORKER, lesson="worker"
    )
    found = [(number, it) for number, turn in enumerate(played.turns) for it in turn.faults]
    assert [(number, it.client, it.finding.diagnosis) for number, it in found] == [
        (3, None, "job-raises")
    ]
    assert found[0][1].finding.handler == "Work.job_do"
    assert not played.leftovers


def test_a_job_can_be_taken_by_another_process_and_no_time_passes(play):
    played = play(
        "connect | text 1 | take jobs | take jobs | fill jobs | take jobs",
        source=WORKER,
        lesson="worker",
    )
    answers = [turn.answers[0] for turn in played.turns if turn.steps[0] == "take jobs"]
    assert [answer and answer["type"] for answer in answers] == ["job.do", None, "filler"]
    assert played.turns[-1].time == 0
    played = play("connect | text 1 | text 2 | take-all jobs", source=WORKER, lesson="worker")
    assert [job["number"] for job in played.turns[-1].answers[0]] == ["1", "2"]


def test_reports_the_channel_layers_that_a_burst_has_called(play):
    played = play("connect | text 1 | close", source=WORKER, lesson="worker")
    assert [turn.layers for turn in played.turns] == [(), ("default", "encrypted"), ("encrypted",)]


def test_redis_may_stop_while_a_frame_is_handled(play):
    played = play("connect | text 1 | at 3 redis channels gone", source=WORKER, lesson="worker")
    assert [fault.finding.diagnosis for fault in played.turns[1].faults] == ["redis-down"]
    played = play("connect | redis groups gone | text 1", source=WORKER, lesson="worker")
    assert not played.turns[1].faults
    assert [fault.finding.diagnosis for fault in played.turns[2].faults] == ["redis-down"]


def test_reports_channels_and_sends_their_names(play):
    played = play("connect | 2 connect | text {channel of 2} | 2 text {channel of 3}")
    channels = [played.turns[-1].clients[number].channel for number in (1, 2)]
    assert len({*channels}) == 2
    assert messages(played)[2] == [{"type": "websocket.send", "text": channels[1]}]
    assert messages(played, 2)[2] == [{"type": "websocket.send", "text": "{channel of 3}"}]


def test_a_layer_message_needs_a_channel_that_is_known_before_the_burst(play):
    source = GAME.replace("RECEIVE", "pass") + NEWS
    played = play('connect | & layer {"type": "news"} | layer {"type": "news"}', source=source)
    assert [len(turn) for turn in messages(played)] == [1, 1]


def test_a_client_that_never_connected_may_be_cancelled(play):
    [turn] = play("kill", "pass").turns
    assert (turn.clients[1].ended, turn.faults) == (True, ())


def test_reports_what_was_received_when_a_step_was_taken_at_a_point(play):
    receive = "[self.send({'type': 'websocket.send', 'text': 'a'}) for _ in range(3)]"
    [_, turn] = play("connect | text a | at 1 text b", receive).turns
    assert turn.at_point == {1: 2}
