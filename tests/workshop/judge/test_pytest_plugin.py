"""pytest runs the checks of a lesson."""

from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from tests.support.programs.processes import run

CHECK = str(find("stop").check)


def pytest_run(*arguments):
    command = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return run([*command, *arguments], cwd=PROJECT_DIR)


def test_each_check_is_a_test_and_passes_for_the_solution():
    done = pytest_run("-q", CHECK, "--target", "solution")

    assert done.returncode == 0
    assert done.stdout.count(".") >= 4


def test_a_mistake_fails_with_claim_diagnosis_cure_and_transcript():
    done = pytest_run("-v", CHECK, "--target", "mistake:DoesNotRaise")

    assert done.returncode == 1
    assert "The consumer stops when the client leaves" in done.stdout
    assert "The consumer did not stop when its client had left" in done.stdout
    assert "Cure: " in done.stdout
    assert "client   → websocket.disconnect" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_unknown_target_lists_the_known_ones():
    done = pytest_run("-q", CHECK, "--target", "mistake:NoSuchMistake")

    assert done.returncode == 2
    assert "mistake" in done.stdout
    assert "Traceback" not in done.stdout
