"""The judge process: one judges for each clone, and each ends with the client that started it."""

import subprocess
import sys
from contextlib import ExitStack

import psutil
import pytest

from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.student import progress
from tests.support.exercise_files import save
from tests.support.programs.running_program import TEST_TIMEOUT, wait_until

CLIENT = """\
import time
from lessons.workshop.judge.daemon import judge_client
with judge_client.JudgeKeeper():
    print("started", flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def exercise(project, monkeypatch):
    """A student's exercise, in a clone whose judge the test may use."""
    monkeypatch.setattr(judge_client.lesson_index, "PROJECT_DIR", project)
    exercise = project / "work" / "01_lamp.py"
    exercise.parent.mkdir(exist_ok=True)
    exercise.write_text("class Lamp(:")
    yield exercise
    wait_until(lambda: not judge_client.is_running())


def saved_diagnosis():
    """The diagnosis of the lamp's saved verdict, if it has one."""
    verdict = progress.read().get("01-lamp", progress.Progress()).verdict
    outcomes = verdict["outcomes"] if verdict else []
    findings = [verdict and verdict["problem"], *(one["finding"] for one in outcomes)]
    return next((one["diagnosis"] for one in findings if one), None)


def wait_for(diagnosis):
    wait_until(lambda: saved_diagnosis() == diagnosis)


def process_of(judge):
    return psutil.Process(judge.process.pid)


def test_the_judge_survives_every_exercise_and_ends_with_its_client(exercise):
    with judge_client.JudgeKeeper() as judge:
        wait_for("syntax-error")
        process = process_of(judge)
        for text, diagnosis in (
            ("import os; os._exit(0)", "process-died"),
            ("import sys; sys.exit()", "calls-exit"),
        ):
            save(exercise, text)
            wait_for(diagnosis)
        assert process.num_threads() == 1  # it was never replaced
    assert not process.is_running()


def test_the_judge_of_another_client_takes_over_from_one_that_has_ended(exercise, project):
    clients = [
        subprocess.Popen([sys.executable, "-c", CLIENT], cwd=project, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        assert [client.stdout.readline() for client in clients] == [b"started\n"] * 2
        wait_for("syntax-error")
        clients[0].kill()  # it cannot end its judge: the judge notices
        clients[0].wait()
        save(exercise, "import sys; sys.exit()")
        wait_for("calls-exit")
    finally:
        for client in clients:
            client.kill()
            client.communicate()


def test_a_killed_judge_is_replaced(exercise):
    warnings = []
    with judge_client.JudgeKeeper(warnings.append) as judge:
        wait_for("syntax-error")
        process_of(judge).kill()
        wait_until(lambda: warnings)
        save(exercise, "import sys; sys.exit()")
        wait_for("calls-exit")


def test_no_exercise_keeps_a_killed_judges_lock(exercise, project, monkeypatch):
    monkeypatch.setattr(judge_client, "RESTART_PAUSE", TEST_TIMEOUT)
    ready = project.with_name("ready")  # outside the project: an exercise may not write there
    exercise.write_text(
        f"import os\nwith open({str(ready)!r}, 'a') as file:\n"
        "    print(os.getpid(), file=file)\nwhile True: pass\n"
    )
    with judge_client.JudgeKeeper() as judge, ExitStack() as stack:
        wait_until(lambda: ready.exists() and ready.read_text())
        player = psutil.Process(int(ready.read_text().split()[0]))
        stack.callback(player.kill)
        player.suspend()  # or it would notice that its exercise takes too long, and end
        process_of(judge).kill()
        judge.process.wait(TEST_TIMEOUT)
        wait_until(lambda: not judge_client.is_running())
        assert player.status() != psutil.STATUS_ZOMBIE  # status() raises if it has ended
