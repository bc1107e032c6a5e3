"""Every file gets a verdict, whatever its code does, and the verdict names the mistake."""

from contextlib import suppress

import psutil
import pytest

from lessons.workshop.course.diagnoses import message_of
from lessons.workshop.engine.process import player_handle, pool
from lessons.workshop.judge.runner import CourseError
from tests.support.courses import ACCEPT, CHECK


def states(verdict):
    return [outcome.state for outcome in verdict.outcomes]


def test_one_red_check_leaves_the_others_green(judge_lamp):
    verdict = judge_lamp('"websocket.close"}', '"websocket.close", "code": 4000}')

    assert states(verdict) == ["green", "red"]
    assert verdict.diagnosis_ids == ["wrong-close-code"]


CLASS, IMPORT = "class Lamp(", "from channels.consumer"


@pytest.mark.parametrize(
    ("old", "new", "diagnosis", "line"),
    [
        (CLASS, "class Lamp((", "syntax-error", 5),
        (IMPORT, f"import no_such_module\n{IMPORT}", "import-error", 1),
        (
            IMPORT,
            f"from channels.generic.websocket import JSONWebSocketConsumer\n{IMPORT}",
            "misspelt-consumer",
            1,
        ),
        (CLASS, f"1 / 0\n{CLASS}", "import-error", 5),
        (CLASS, f"raise SystemExit(3)\n{CLASS}", "calls-exit", 5),
        (CLASS, f"raise __import__('asyncio').CancelledError\n{CLASS}", "import-error", 5),
        (CLASS, f"import os; os._exit(0)\n{CLASS}", "process-died", 0),
        (CLASS, "class Lampe(", "name-missing", 0),
        ("(SyncConsumer):", ":", "wrong-base-class", 0),
        ("SyncConsumer", "AsyncConsumer", "wrong-base-class", 0),
    ],
)
def test_reports_why_a_file_cannot_be_judged(judge_lamp, old, new, diagnosis, line):
    verdict = judge_lamp(old, new)

    assert not verdict.green
    assert verdict.problem.diagnosis == diagnosis
    assert verdict.problem.line == line
    assert verdict.outcomes == ()


def test_stops_an_endless_loop_and_names_its_handler_event_and_line(judge_lamp):
    verdict = judge_lamp(ACCEPT, "\n        while True: print('on ' * 1000)", limit=0.3)

    assert states(verdict) == ["red", "red"]
    finding = verdict.findings[0]
    assert finding.diagnosis == "stuck"
    assert message_of(finding).startswith(
        "websocket.connect → Lamp.websocket_connect (exercise.py, line 8)"
    )


@pytest.mark.parametrize(
    ("code", "diagnosis"),
    [
        ("raise SystemExit(3)", "calls-exit"),
        ("self.websocket_connect(event)", "recursion"),
    ],
)
def test_names_what_ends_a_handler(judge_lamp, code, diagnosis):
    verdict = judge_lamp(ACCEPT, code)

    assert states(verdict) == ["red", "red"]
    assert verdict.diagnosis_ids == [diagnosis]


def test_stops_an_endless_loop_at_module_level_and_names_its_line(judge_lamp):
    verdict = judge_lamp("class Lamp(", "while True:\n    pass\n\n\nclass Lamp(", limit=0.3)

    assert verdict.problem.diagnosis == "import-never-ends"
    assert verdict.problem.line in (5, 6)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os._exit(7)", "exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    ],
)
def test_a_process_that_dies_makes_its_check_red_and_the_rest_not_run(judge_lamp, code, said):
    verdict = judge_lamp(ACCEPT, code)

    assert states(verdict) == ["red", "not run"]
    assert verdict.diagnosis_ids == ["process-died"]
    assert said in verdict.findings[0].detail


def test_cuts_long_output_and_says_so(judge_lamp):
    verdict = judge_lamp(ACCEPT, f"{ACCEPT}\n        print('x' * 10_000_000)")

    assert verdict.green
    assert len(verdict.output) < 5000
    assert verdict.output.endswith("more characters were printed and cut]")


def test_keeps_what_the_import_prints_once_and_what_each_claim_prints(judge_lamp):
    assert judge_lamp(CLASS, f"print('imported')\n{CLASS}").output == "imported\n"
    assert judge_lamp(ACCEPT, f"{ACCEPT}; print('accepted')").output == "accepted\n" * 2


def test_kills_a_process_that_a_student_started(judge_lamp, tmp_path):
    note = tmp_path / "pid"
    start = (
        "import subprocess, sys, pathlib; "
        "started = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"pathlib.Path({str(note)!r}).write_text(str(started.pid))"
    )

    judge_lamp(ACCEPT, f"{ACCEPT}; {start}")

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(int(note.read_text()))
        assert process.status() == psutil.STATUS_ZOMBIE or process.wait(10) is None


MODEL = """\
from lessons.workshop.judge import Model

class LampModel(Model):
    explores = False

"""


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("", "check.py has no model"),
        ("from lessons.workshop.judge import NoSuchName", "check.py, line 1: ImportError"),
        (f"{MODEL}async def test_x(play):\n    pass", "test_x is async"),
        (f"{MODEL}def test_x(play):\n    play('conect')", "conect"),
        (f"{MODEL}def test_x(play):\n    raise LookupError('in a claim')", "in a claim"),
        (f"{MODEL}    def connect(self, client):\n        1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_broken_check_raises_a_course_error(lesson, judge_lamp, check, text):
    claim = "\n\ndef test_connects(play):\n    play('connect')\n"
    lesson.check.write_text(check + (claim if "connect(self" in check else ""))

    with pytest.raises(CourseError, match=text):
        judge_lamp()


def test_a_diagnosis_that_fails_does_not_cost_the_verdict(lesson, judge_lamp, caplog):
    diagnose = "    def diagnose(self, difference):\n        1 / 0\n\n\ndef test_repeats"
    lesson.check.write_text(CHECK.replace("\n\ndef test_repeats", f"\n{diagnose}"))

    [finding, *_] = judge_lamp('event["text"]})', '"other"})').findings

    assert finding.diagnosis == "reply-differs"
    assert "ZeroDivisionError" in caplog.text


def test_a_lesson_without_a_claim_is_not_green(lesson, judge_lamp):
    lesson.check.write_text(MODEL)

    assert not judge_lamp().green


FORGERY = """\
import pickle
import sys
from msgpack import packb

frame = sys._getframe()
while "pipe" not in frame.f_locals:
    frame = frame.f_back


class Attack:
    def __reduce__(self):
        return open, (MARK, "w")


MARK = {mark!r}
frame.f_locals["pipe"].send_bytes({message})
"""


@pytest.mark.parametrize(
    "message",
    [
        "pickle.dumps(Attack())",
        "b'\\xff\\x00'",
        'b"[" * 100_000',
        "packb(['loaded', {'output': 7, 'cut': 0}])",
        "packb(['problem', {'diagnosis': 'invented', 'message': 'm'}])",
        "packb(['fault', 7])",
        "packb(['unknown-type', {}])",
    ],
)
def test_a_malformed_report_is_red_and_runs_nothing(judge_lamp, tmp_path, message):
    mark = tmp_path / "mark"
    forged = FORGERY.format(mark=str(mark), message=message)
    verdict = judge_lamp("class Lamp(", f"{forged}\n\nclass Lamp(")
    assert not mark.exists()
    assert verdict.diagnosis_ids == ["process-died"]
    assert "cannot be read" in verdict.problem.detail


def test_a_warm_player_gets_the_same_verdict(judge_lamp):
    cold = judge_lamp('"websocket.close"}', '"websocket.close", "code": 4000}')
    player_handle.warm_up(1)
    [player] = player_handle._warm_players
    warm = judge_lamp('"websocket.close"}', '"websocket.close", "code": 4000}')
    assert not player_handle._warm_players
    assert warm.findings == cold.findings
    assert player.pipe.closed


@pytest.mark.parametrize("code", ["import os; os._exit(7)", "exec('while True: pass')", "1 / 0"])
def test_a_verdict_does_not_depend_on_the_number_of_players(judge_lamp, monkeypatch, code):
    old, verdicts = '"websocket.close"}', []
    for processes in (1, 3):
        monkeypatch.setattr(pool, "PROCESSES", processes)
        verdicts.append(judge_lamp(old, f"{old}); {code}; (", limit=0.3))
    one, several = verdicts
    assert states(one) == states(several) == ["green", "red"]
    assert one.findings == several.findings
