"""A class with hostile submissions among it: they do no harm, and all others get their verdicts.

Each attack is harmless if it works: it uses files that the test has planted, asks whether it may
signal a process, or starts one process that ends at once. It prints DONE where it has worked. So a
control can show that the same code works outside of a sandbox.
"""

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.study.mistakes import read_mistakes
from lessons.workshop.terminal import grade as grade_command
from tests.support.lesson_command import lesson
from tests.support.submissions import C_LIBRARY, LESSON, RIGHT, bubblewrap

WRONG = LESSON.original.read_text(encoding="utf-8")
SECRET = "planted-secret"
HONEST = [find(name) for name in ("accept", "frames", "stop", "delivery")]
EACH = 6  # honest students of a lesson
STUDENTS = 40

# Code that looks for harm to do. FOLDER and PORT are replaced.
ATTACKS = {
    "reads-a-key": f"""
descriptor = libc.open(b"FOLDER/key", 0)
works = descriptor >= 0 and os.read(descriptor, 100) == {SECRET.encode()!r}
""",
    "writes-a-file": """
works = libc.open(b"FOLDER/harm", os.O_CREAT | os.O_WRONLY, 0o600) >= 0
""",
    "deletes-a-file": """
works = libc.unlink(b"FOLDER/notes") == 0
""",
    "empties-the-progress": """
works = libc.truncate(b"FOLDER/progress", 0) == 0
""",
    "opens-the-checks": f"""
works = libc.open(os.fsencode({str(LESSON.check)!r}), os.O_WRONLY | os.O_APPEND) >= 0
""",
    "opens-a-connection": """
import socket
try:
    socket.create_connection(("127.0.0.1", PORT), timeout=5).close()
    works = True
except OSError:
    works = False
""",
    "reads-the-environment": f"""
works = os.environ.get("API_TOKEN") == {SECRET!r}
""",
    "signals-its-parent": """
works = libc.kill(os.getppid(), 0) == 0
""",
    "forks": """
process = libc.fork()
if process == 0:
    os._exit(0)
works = process > 0
""",
}
# Code that takes much: it stays within the limits, or the limits end it.
LARGE = {
    "prints-10-mb": "os.write(1, b'forged' * 1_700_000); works = False",
    "takes-200-mb": "memory = bytearray(200_000_000); del memory; works = False",
    "sleeps": "time.sleep(1); works = False",
}
# Code that wants to be green, above a consumer that is wrong.
FORGERIES = {
    "forges-reports": """
import msgpack
from lessons.workshop.engine.process import conversation_run, session
conversation_run.ConversationRun.report = lambda *_, **__: {}
session.send_data = lambda *_: None
for descriptor in range(3, 50):
    try:
        data = msgpack.packb(["played", {"number": 1, "turns": []}])
        os.write(descriptor, len(data).to_bytes(4, "big") + data)
    except OSError:
        pass
""",
    "sends-a-pickle": """
import pickle
class Harm:
    def __reduce__(self):
        return open, ("FOLDER/unpickled", "w")
for descriptor in range(3, 50):
    try:
        data = pickle.dumps(Harm())
        os.write(descriptor, len(data).to_bytes(4, "big") + data)
    except OSError:
        pass
""",
    "equals-everything": """
class Everything(str):
    __eq__ = lambda *_: True
    __ne__ = lambda *_: False
    __hash__ = str.__hash__
""",
    "loops": "while True: pass",
}
EQUAL = RIGHT.replace("READINGS[self.chosen]", "Everything('21')")


def code_of(attack: str, folder, port: int) -> str:
    """The attack as code that runs at the first import, and prints whether it works."""
    lines = attack.replace("FOLDER", str(folder)).replace("PORT", str(port)).strip().splitlines()
    body = "".join(f"    {line}\n" for line in [*lines, "print('DONE' if works else 'refused')"])
    return f"{C_LIBRARY}if not hasattr(sys, 'done'):\n    sys.done = True\n{body}"


@contextmanager
def planted(folder):
    """What the attacks want: files in `folder`, and a server. Yields its socket."""
    folder.mkdir()
    for name in ("key", "notes", "progress"):
        (folder / name).write_text(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        server.settimeout(0)
        patch.setenv("API_TOKEN", SECRET)
        yield server


def write_honest(folder) -> dict[str, tuple[str, str | None]]:
    """Files of honest students. The expected state and diagnosis of each."""
    expected = {}
    for one in HONEST:
        mistakes = [it for it in read_mistakes(one) if it.name != one.exercise_name]
        for number in range(EACH):
            student = f"{one.slug}{number}"
            text, expected[student] = one.solution.read_text(), ("green", None)
            if number:
                mistake = mistakes[number % len(mistakes)]
                text = one.mistakes.read_text()
                text += f"\n\nclass {one.exercise_name}({mistake.name}):\n    pass\n"
                expected[student] = "red", mistake.diagnosis
            (folder / f"{one.folder.name}_{student}.py").write_text(f"{text}# {student}\n")
    return expected


def write_hostile(folder, harmed, port: int) -> None:
    for name, code in (ATTACKS | LARGE).items():
        text = f"{code_of(code, harmed, port)}\n{RIGHT}"
        (folder / f"{LESSON.folder.name}_{name}.py").write_text(text)
    for name, code in FORGERIES.items():
        more = EQUAL if name == "equals-everything" else WRONG
        text = f"{C_LIBRARY}{code.replace('FOLDER', str(harmed))}\n{more}"
        (folder / f"{LESSON.folder.name}_{name}.py").write_text(text)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of forty, its report, and what was printed and planted."""
    bubblewrap()
    folder = tmp_path_factory.mktemp("class")
    submissions, harmed = folder / "submissions", folder / "planted"
    submissions.mkdir()
    checks = LESSON.check.read_bytes()
    with pytest.MonkeyPatch.context() as patch, planted(harmed) as server:
        patch.setattr(grade_command, "state_dir", lambda: folder / "state")
        expected = write_honest(submissions)
        write_hostile(submissions, harmed, server.getsockname()[1])
        printed = lesson("grade", str(submissions), "--output", str(folder / "report"))
        connections = 0
        with suppress(BlockingIOError):
            server.accept()
            connections = 1
    report = json.loads((folder / "report" / "report.json").read_text())
    found = {one["student"]: one for one in report["submissions"]}
    return SimpleNamespace(
        found=found,
        expected=expected,
        printed=printed,
        harmed=harmed,
        connections=connections,
        checks=checks,
        page=(folder / "report" / "report.html").read_text(),
        files=[it for it in (folder / "report").rglob("*") if it.is_file()],
    )


def test_each_of_the_others_has_its_usual_verdict(graded):
    assert len(graded.found) == STUDENTS
    honest = {name: graded.found[name] for name in graded.expected}
    assert {it: (one["state"], one["diagnosis"]) for it, one in honest.items()} == graded.expected


@pytest.mark.parametrize("attack", ATTACKS | LARGE)
def test_an_attack_is_refused_and_its_consumer_is_judged(graded, attack):
    assert graded.found[attack]["state"] == "green"


def test_no_attack_works(graded):
    assert graded.page.count("refused") == len(ATTACKS | LARGE)
    assert "DONE" not in graded.page
    assert {it.name: it.read_text() for it in graded.harmed.iterdir()} == {
        "key": SECRET,
        "notes": SECRET,
        "progress": SECRET,
    }
    assert graded.connections == 0
    assert LESSON.check.read_bytes() == graded.checks


@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forgery_makes_a_wrong_consumer_green(graded, forgery):
    assert graded.found[forgery]["state"] == "red"


def test_the_report_is_small_and_holds_no_secret(graded):
    assert "forged" not in graded.printed
    for file in graded.files:
        assert file.stat().st_size < 2 * 1024**2
        assert SECRET not in file.read_text()


@pytest.mark.parametrize("attack", ATTACKS)
def test_control_the_attack_works_outside_of_a_sandbox(tmp_path, attack):
    if attack == "opens-the-checks" and not os.access(LESSON.check, os.W_OK):
        pytest.skip("The course is read-only here.")
    with planted(tmp_path / "planted") as server:
        code = code_of(ATTACKS[attack], tmp_path / "planted", server.getsockname()[1])
        command = [sys.executable, "-c", code]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "DONE\n"
