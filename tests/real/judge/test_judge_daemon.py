"""The judge process: there is one for each clone, and it ends with its last client."""

import json
import os
import queue
import socket
import subprocess
import sys
from contextlib import ExitStack

import psutil
import pytest

from lessons.workshop.judge.daemon import exercise_watcher, judge_client
from lessons.workshop.student import progress
from tests.support.exercise_files import KILLS_THE_JUDGE, save
from tests.support.programs.running_program import TEST_TIMEOUT, wait_until

WATCH = """\
import sys
from lessons.workshop.judge.daemon import judge_client
with judge_client.connect(watch="01-lamp") as judge:
    while message := judge.receive(30):
        if "verdict" in message:
            print("verdict", flush=True)
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


def judges_in(project):
    """The judge processes of this clone, without the children that they have forked."""
    found = [
        process
        for process in psutil.process_iter(["cmdline", "cwd", "ppid"])
        if process.info["cwd"] == str(project)
        and "lessons.workshop.judge.daemon.judge_daemon" in (process.info["cmdline"] or ())
    ]
    pids = {process.pid for process in found}
    return [process for process in found if process.info["ppid"] not in pids]


def read_to_end(connection):
    while connection.receive(TEST_TIMEOUT):
        pass


def verdict(connection):
    """The ids of the diagnoses in the next verdict."""
    while (message := connection.receive(TEST_TIMEOUT)) is not None:
        if "verdict" in message:
            found = [message["verdict"]["problem"]]
            found += [outcome["finding"] for outcome in message["verdict"]["outcomes"]]
            return {one["diagnosis"] for one in found if one}
    raise AssertionError("no verdict came")


def test_the_judge_survives_every_exercise_and_ends_with_its_client(exercise, project):
    with judge_client.connect(watch="01-lamp") as judge:
        assert "syntax-error" in verdict(judge)
        for text, diagnosis in (
            ("import os; os._exit(0)", "process-died"),
            ("import sys; sys.exit()", "calls-exit"),
        ):
            save(exercise, text)
            assert diagnosis in verdict(judge)
        [process] = judges_in(project)
        assert process.num_threads() == 1
    process.wait(TEST_TIMEOUT)
    assert not judge_client.address_file().exists()


def test_two_clients_that_start_at_once_get_one_judge(exercise, project):
    clients = [
        subprocess.Popen([sys.executable, "-c", WATCH], cwd=project, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        assert [client.stdout.readline() for client in clients] == [b"verdict\n"] * 2
        # Each client may have started a judge. The second one ends when it finds the lock held.
        wait_until(lambda: len(judges_in(project)) == 1)
    finally:
        for client in clients:
            client.kill()  # no process says good-bye: the judge notices and ends
            client.communicate()


def test_reports_all_progress_to_a_new_follower_and_then_each_change(exercise):
    with judge_client.connect(follow=True) as page:
        assert page.receive(TEST_TIMEOUT) == {"judging": None, "progress": {}}
        wait_until(lambda: "progress" in (page.receive(TEST_TIMEOUT) or ()))
        with judge_client.connect(follow=True) as other:
            assert set(other.receive(TEST_TIMEOUT)["progress"]) == {"01-lamp"}


def test_a_killed_judge_is_replaced(exercise, project):
    with judge_client.connect(watch="01-lamp") as judge:
        verdict(judge)
        [process] = judges_in(project)
        process.kill()
        process.wait(TEST_TIMEOUT)
        with pytest.raises(ConnectionError):
            read_to_end(judge)
    assert judge_client.find_judge() is None  # the address that it left is not used
    with judge_client.connect(watch="01-lamp") as judge:
        assert verdict(judge) == {"syntax-error"}


def saved_diagnosis():
    """The diagnosis of the lamp's saved verdict, if it has one."""
    known = progress.read().get("01-lamp", progress.Progress()).verdict
    return known and known["problem"]["diagnosis"]


def test_a_version_that_ends_two_judges_is_red_and_the_next_version_is_judged(exercise, project):
    exercise.write_text(KILLS_THE_JUDGE)
    for _ in range(exercise_watcher.MAX_ATTEMPTS):
        with judge_client.connect(watch="01-lamp") as judge, pytest.raises(ConnectionError):
            verdict(judge)
    with judge_client.connect(watch="01-lamp") as judge:
        assert verdict(judge) == {"judge-ended"}
        wait_until(lambda: saved_diagnosis() == "judge-ended")
        save(exercise, "class Lamp(:")
        assert verdict(judge) == {"syntax-error"}


def test_the_keeper_replaces_a_judge_that_has_ended(exercise, project):
    said = queue.SimpleQueue()
    with judge_client.JudgeKeeper(said.put):
        save(exercise, KILLS_THE_JUDGE)
        for _ in range(exercise_watcher.MAX_ATTEMPTS):
            assert (
                said.get(timeout=TEST_TIMEOUT) == "The judge process had ended. A new one runs now."
            )
        with judge_client.connect(follow=True) as page:
            wait_until(lambda: saved_diagnosis() == "judge-ended")
            save(exercise, "class Lamp(:")
            wait_until(lambda: saved_diagnosis() == "syntax-error")
            assert page.receive(TEST_TIMEOUT)["judging"] is None
        assert said.empty()


def test_no_exercise_keeps_a_killed_judges_lock(exercise, project):
    ready = project.with_name("ready")  # outside the project: an exercise may not write there
    exercise.write_text(
        f"import os\nwith open({str(ready)!r}, 'a') as file:\n"
        "    print(os.getpid(), file=file)\nwhile True: pass\n"
    )
    with judge_client.connect(watch="01-lamp"), ExitStack() as stack:
        wait_until(lambda: ready.exists() and ready.read_text())
        player = psutil.Process(int(ready.read_text().split()[0]))
        stack.callback(player.kill)
        player.suspend()  # or it would notice that its exercise takes too long, and end
        [process] = judges_in(project)
        process.kill()
        process.wait(TEST_TIMEOUT)
        wait_until(lambda: not judge_client.is_running())
        assert player.status() != psutil.STATUS_ZOMBIE  # status() raises if it has ended


def test_only_who_has_the_token_of_the_user_may_connect(exercise):
    with judge_client.connect():
        if os.name == "posix":  # Windows has other permissions
            assert judge_client.address_file().stat().st_mode & 0o077 == 0
        port = json.loads(judge_client.address_file().read_text())["port"]
        with socket.create_connection((judge_client.HOST, port), TEST_TIMEOUT) as stranger:
            stranger.sendall(b'{"token": "guessed", "follow": true}\n')
            assert stranger.recv(1) == b""
