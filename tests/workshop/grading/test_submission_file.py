"""Files of which no code runs, and how verdicts are kept: without a sandbox."""

import os
from importlib import metadata

import pytest

from lessons.workshop.grading import grading, sandbox, submission
from lessons.workshop.grading.submission import NOT_JUDGED, judge_submission
from tests.support.submissions import LESSON, WITHOUT_BUBBLEWRAP

CREATED = {
    "10 MB": (lambda file: file.write_bytes(b"#" * 10 * 1024**2), "It has more than 1024 KiB."),
    "a link": (lambda file: file.symlink_to(LESSON.solution), "It is a symbolic link"),
    "a folder": (os.mkdir, "Is a directory"),
    "a pipe": (os.mkfifo, "It is a folder, a pipe or a device."),
    "missing": (lambda file: None, "No such file or directory"),
}


@pytest.mark.parametrize("create, detail", CREATED.values(), ids=CREATED)
def test_does_not_judge_what_is_not_a_small_file(tmp_path, create, detail):
    create(tmp_path / "a.py")
    found = judge_submission(LESSON, tmp_path / "a.py", sandbox=WITHOUT_BUBBLEWRAP)
    assert found.state == NOT_JUDGED
    assert found.reason == (submission.TOO_LARGE if "1024" in detail else submission.NOT_A_FILE)
    assert found.detail.startswith(detail)


# time-machine replaces the clock of a conversation.
@pytest.mark.parametrize("package", ["django", "channels", "msgpack", "time-machine"])
def test_kept_verdicts_depend_on_each_package_that_a_verdict_depends_on(monkeypatch, package):
    course_version = grading.course_version.__wrapped__  # without its cache
    before = course_version()
    other = lambda it: "0" if it == package else metadata.version(it)  # noqa: E731
    monkeypatch.setattr(grading, "version", other)
    assert course_version() != before


def test_a_sandbox_without_root_has_its_own_users(monkeypatch):
    monkeypatch.setattr(sandbox.os, "getuid", lambda: 1000)
    assert "--unshare-user" in sandbox._bubblewrap([])
    assert "--cap-add" not in sandbox._bubblewrap([])
