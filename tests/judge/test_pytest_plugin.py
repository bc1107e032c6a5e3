"""An instructor needs nothing but pytest to run a lesson's checks."""

from lessons.core.catalogue import PROJECT_DIR, find
from tests.support.programs.processes import run

CHECK = str(find("stop").check)


def pytest_run(*arguments):
    command = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return run([*command, *arguments], cwd=PROJECT_DIR)


def test_the_solution_is_green_and_each_check_is_a_test():
    done = pytest_run("-q", CHECK, "--target", "solution")

    assert done.returncode == 0
    assert done.stdout.count(".") >= 4


def test_a_mistake_is_red_by_the_claim_with_diagnosis_cure_and_transcript():
    done = pytest_run("-v", CHECK, "--target", "mistake:DoesNotRaise")

    assert done.returncode == 1
    assert "The consumer stops when the client leaves" in done.stdout
    assert "The consumer did not stop when its client had left" in done.stdout
    assert "Cure: " in done.stdout
    assert "client   → websocket.disconnect" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_unknown_target_says_which_there_are():
    done = pytest_run("-q", CHECK, "--target", "mistake:Nobody")

    assert done.returncode == 2
    assert "mistake" in done.stdout
    assert "Traceback" not in done.stdout
