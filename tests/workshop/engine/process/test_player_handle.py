"""A player plays conversations in a child process, and believes nothing that the child sends."""

import multiprocessing
import os

import pytest

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.subjects import exercise
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.process import child_process, player_process
from lessons.workshop.engine.process.data import read_dataclass
from lessons.workshop.engine.process.player_handle import PlayerHandle
from lessons.workshop.engine.script.report import PlayOptions, Report

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


def target(receive="", source=GAME, key="stop"):
    lesson = find(key)
    source = source.replace("RECEIVE", receive or "self.send({**event, 'type': 'websocket.send'})")
    return exercise(lesson, "submission", lesson.exercise, source)


@pytest.fixture
def play():
    """Plays a conversation, given as one text, with a consumer whose receive is `receive`."""
    opened = []

    def play(conversation, receive="", source=GAME, lesson="stop"):
        player = PlayerHandle(target(receive, source, lesson), timeout=2, diagnose=diagnose)
        opened.append(player.__enter__())
        player.wait_until_loaded()
        assert player.problem is None
        return player.play(conversation.split(" | "), PlayOptions())

    yield play
    for player in opened:
        player.__exit__()


def messages(played):
    turns = [turn.clients[1].received for turn in played.bursts if 1 in turn.clients]
    return [[message for _, message in turn] for turn in turns]


LEAVES = """\
import asyncio
import threading
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

    async def wait(self):
        pass

    def tick(self):
        asyncio.get_running_loop().call_later(1, self.tick)

    def count_down(self):
        self.left -= 1
        if self.left:
            asyncio.get_running_loop().call_later(200, self.count_down)

    async def websocket_disconnect(self, event):
        raise StopConsumer()
"""


@pytest.mark.parametrize(
    ("leave", "at"),
    [
        ("threading.Thread(target=keep_warm, daemon=True).start()", ["time.sleep(5)"]),
        ("pool.submit(keep_warm), pool.submit(bake)", ["time.sleep(5)"]),
        ("LOOP.run_in_executor(pool, keep_warm)", ["time.sleep(5)"]),
        ("self.tick()", ["def tick(self):"]),
        ("self.send({})", ["self.send({})"]),
        ("[pool.submit(bake) for _ in range(5)]", []),
        ("self.count_down()", []),
        ("LOOP.call_later(1, self.tick).cancel()", []),
    ],
)
def test_reports_the_line_of_a_thread_a_job_a_timer_or_a_coroutine_left_behind(play, leave, at):
    source = LEAVES.replace("LEAVE", leave).replace("LOOP", "asyncio.get_running_loop()")
    leftovers = play("connect | close", source=source, lesson="await").leftovers
    assert [source.splitlines()[it.line - 1].strip() for it in leftovers] == at
    diagnosis = "never-awaited" if leave == "self.send({})" else "thread-left-behind"
    assert {it.diagnosis for it in leftovers} <= {diagnosis}


def test_a_handler_that_does_not_return_is_reported_and_the_player_goes_on(play, monkeypatch):
    with PlayerHandle(target("while event['text'] == 'a': pass"), timeout=0.5) as player:
        player.wait_until_loaded()
        stuck = player.play(["connect", "text a"])
        assert stuck.stuck.diagnosis == "stuck"
        assert stuck.stuck.line == 9
        assert len(stuck.bursts) == 1
        assert len(player.play(["connect", "text b"]).bursts) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"bursts": "no list"},
        {"bursts": [{"steps": ["text a"], "clients": {"1": {}}}]},
        {"bursts": [{"steps": ["text a"], "time": "soon"}]},
        {"leftovers": [{"diagnosis": 3}]},
        {"leftovers": [{"diagnosis": "unknown"}]},
        {"more": 1},
    ],
)
def test_refuses_a_forged_report(change):
    assert read_dataclass(Report, {"bursts": []}, {Finding: diagnose}) == Report()
    with pytest.raises((ValueError, TypeError, LookupError)):
        read_dataclass(Report, change, {Finding: diagnose})


def test_the_same_conversation_gives_the_same_report(play):
    steps = "seed 5 | connect | 2 connect | text a | & 2 text b | & text c | at 1 2 close"
    first, second = (play(steps) for _ in range(2))
    assert first == second


def test_random_numbers_and_hashes_are_the_same_in_each_player(play, monkeypatch):
    monkeypatch.setattr(child_process, "start_method", child_process.clean_start_method)
    receive = """
        import random
        text = f"{random.random()} {hash('a text')}"
        self.send({"type": "websocket.send", "text": text})"""
    first, second = (messages(play("connect | text hello", receive)) for _ in range(2))
    assert first == second


def test_the_first_uuid_of_a_process_does_not_block_its_loop(play):
    """Python runs programs once in a process, to find the address of the machine."""
    source = LEAVES.replace("LEAVE", "__import__('uuid').getnode()")
    (burst,) = play("connect", source=source, lesson="await").bursts
    assert burst.faults == ()


def test_a_forgotten_await_is_found_although_an_exception_keeps_the_coroutine(play):
    sent = "await self.send({'type': 'websocket.send', 'text': self.wait()})"
    source = LEAVES.replace("LEAVE", sent)
    report = play("connect", source=source, lesson="await")
    [finding] = report.leftovers
    assert finding.diagnosis == "never-awaited"
    assert source.splitlines()[finding.line - 1].strip() == sent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_player_of_an_endless_exercise_ends_when_its_parent_has_ended(tmp_path):
    child_process.start_fork_server()
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    parents_end, _ = multiprocessing.Pipe()
    endless = target(source="while True:\n    pass\n")
    arguments = theirs, parents_end, endless, 0.1, str(tmp_path)
    child = context.Process(target=player_process.run_forked, args=arguments, daemon=True)
    child.start()
    theirs.close()
    ours.close()  # as a parent that has ended
    child.join(20)
    child.kill()
    assert child.exitcode == 1
