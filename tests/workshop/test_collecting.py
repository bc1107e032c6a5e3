"""An instructor needs nothing but pytest to run a lesson's checks."""

import subprocess
import sys

from lessons.catalogue import PROJECT_DIR, find

CHECK = str(find("stop").check)


def pytest_run(*arguments):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.run(
        [*command, *arguments], cwd=PROJECT_DIR, capture_output=True, text=True, check=False
    )


def test_the_solution_is_green_and_each_check_is_a_test():
    run = pytest_run("-q", CHECK, "--target", "solution")

    assert run.returncode == 0
    assert run.stdout.count(".") >= 4


def test_a_mistake_is_red_by_the_claim_with_diagnosis_cure_and_transcript():
    run = pytest_run("-v", CHECK, "--target", "mistake:DoesNotRaise")

    assert run.returncode == 1
    assert "The consumer stops when the client leaves" in run.stdout
    assert "The consumer did not stop when its client had left" in run.stdout
    assert "Cure: " in run.stdout
    assert "client   → websocket.disconnect" in run.stdout
    assert "Traceback" not in run.stdout


def test_an_unknown_target_says_which_there_are():
    run = pytest_run("-q", CHECK, "--target", "mistake:Nobody")

    assert run.returncode == 2
    assert "mistake" in run.stdout
    assert "Traceback" not in run.stdout
