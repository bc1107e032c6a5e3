"""Mistakes that only generated conversations find: the same ones each time, and short."""

import os
import subprocess
import sys

from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from lessons.workshop.course.subjects import exercise
from lessons.workshop.engine.model.shortening import Shortening
from lessons.workshop.judge import judge

STRIPS = 'event.get("text") == "7"', '(event.get("text") or "").strip() == "7"'
PRINT_CONVERSATIONS = """
from lessons.workshop.engine.process.child_process import set_up_django
set_up_django()
from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.model.conversations import conversations_for
from lessons.workshop.judge.claims import Claims
from lessons.workshop.judge.source_texts import texts_in
texts = texts_in("text in {'a', 'b', 'c', 'd', 'e', 'f'}")
for steps in conversations_for(Claims.of(find("stop")).model, texts):
    print(*steps, sep=" | ")
"""


def verdict_on(lesson, *changes, **options):
    lesson = find(lesson)
    source = lesson.solution.read_text(encoding="utf-8")
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in source
        source = source.replace(old, new)
    return judge(lesson, exercise(lesson, "changed", lesson.exercise, source), **options)


def test_the_conversations_do_not_depend_on_the_seed_of_hashes():
    printed = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PRINT_CONVERSATIONS]
        printed.append(subprocess.check_output(command, cwd=PROJECT_DIR, env=environment))
    assert printed[0] == printed[1]
    assert printed[0].count(b"\n") > 30


def test_a_failing_conversation_becomes_short_and_is_the_same_each_time():
    first, second = (verdict_on("stop", *STRIPS) for _ in range(2))
    [*claims, explored] = first.outcomes
    assert {claim.state for claim in claims} == {"green"}
    assert explored.finding.conversation in (
        *('connect | text " 7"', 'connect | text "7 "', r'connect | text "7\n"'),
    )
    assert first.findings == second.findings


def test_a_short_conversation_keeps_the_setup_and_only_the_clients_that_it_needs():
    verdict = verdict_on(
        "logout",
        *(
            "    async def join(self):\n",
            "    async def join(self):\n        Desk.last = self.scope\n",
        ),
        "await self.user_changed({})\n",
        "await self.user_changed({})\n"
        '        self.scope["user"] = await get_user({"session": Desk.last["session"]})\n',
    )
    [finding] = verdict.findings
    steps = finding.conversation.split(" | ")
    assert [step.split()[0] for step in steps] == ["account", "account", "connect", "&", "text"]
    assert finding.diagnosis == "wrong-connection"


def test_a_conversation_in_which_the_consumer_hangs_is_not_shortened(monkeypatch):
    monkeypatch.setattr(Shortening, "_try", None)
    handler = "    def websocket_receive(self, event):\n"
    hangs = '        while len(event.get("text") or "") > 5000: pass\n'
    outcome = verdict_on("stop", handler, handler + hangs, timeout=0.5).outcomes[-1]
    assert outcome.finding.diagnosis == "stuck"
