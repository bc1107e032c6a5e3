"""`manage.py workshop` and `manage.py test` as programs."""

import os
import shutil

import psutil
import pytest
from django.conf import settings

from lessons.workshop.course.lesson_index import find
from tests.support.programs.processes import run
from tests.support.programs.project_commands import workshop_copy
from tests.support.programs.running_program import TEST_TIMEOUT, wait_until


@pytest.mark.skipif(os.name == "nt", reason="sends Ctrl-C to a process group")
def test_workshop_reloads_code_survives_a_syntax_error_and_leaves_no_process():
    with workshop_copy() as started:
        url, consumers = started.address, started.folder / "sync_demo" / "consumers.py"
        right = consumers.read_text()
        save_until(consumers, f"{right}\nthis is a syntax error\n", started, "SyntaxError")
        # The page that is open finds the server again where it was.
        save_until(consumers, f"{right}\n# and now it is\n", started, f"Workshop ready at {url}")
        own = psutil.Process(started.process.pid)
        # The server, the judge, and the players that the judge keeps for the next save.
        wait_until(lambda: len(own.children(recursive=True)) > 2)
        processes = own.children(recursive=True)
        started.interrupt()
        assert psutil.wait_procs(processes, TEST_TIMEOUT)[1] == []


def save_until(file, text, started, words):
    """Save until the reloader notices: it misses a save before its second look."""
    for patience in (1.5, 3, 6, 12, 24):
        file.write_text(text)
        if started.wait_for_words(f"{file.name} changed, reloading.", patience):
            break
    assert started.wait_for_words(words), f"never said {words!r}:\n{started.output}"


def test_a_target_may_be_a_file_outside_of_the_project(tmp_path):
    shutil.copy(find("stop").solution, tmp_path / "ada.py")
    words = ["test", "--lesson", "stop", "--target", "ada.py"]
    done = run([str(settings.BASE_DIR / "manage.py"), *words], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
