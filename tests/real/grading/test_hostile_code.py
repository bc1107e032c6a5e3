"""What strangers may hand in. Many attacks share a verdict: each prints whether it has worked.

Each attack is harmless if it works: it uses files that the test has planted, asks whether it may
signal a process, or starts a process that ends at once. So a control shows that the same code works
outside of a sandbox.
"""

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager

import psutil
import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from lessons.workshop.grading import judging
from lessons.workshop.grading.judging import NOT_JUDGED
from tests.support.programs.running_program import wait_until
from tests.support.submissions import (
    C_LIBRARY,
    LESSON,
    RIGHT,
    WITHOUT_BUBBLEWRAP,
    bubblewrap,
    judge_code,
    judge_content,
)

MIB = 1024**2
WRONG = LESSON.original.read_text(encoding="utf-8")
SECRET = "planted-secret"
PLANTED = dict.fromkeys(("key", "notes", "progress"), SECRET)

# FOLDER and PORT are replaced. The filter of system calls and the environment refuse these.
ANYWHERE = {
    "forks with libc": "works = is_child_or(libc.fork)",
    "forks with os": "works = is_child_or(os.fork)",
    "starts a program": "works = subprocess.Popen(['true'], start_new_session=True).wait() == 0",
    "starts a shell": "works = libc.system(b'true') == 0",
    "connects": "socket.create_connection(('127.0.0.1', PORT), timeout=5).close()",
    "opens a Unix socket": "works = libc.socket(1, 1, 0) >= 0",
    "signals its parent": "works = libc.kill(os.getppid(), 0) == 0",
    "reads the environment": "works = 'API_TOKEN' in os.environ",
    "reads the environment in /proc": "works = b'API_TOKEN' in read('/proc/self/environ')",
}
# bubblewrap refuses these: the submission sees a small part of this machine, read-only.
FILES = {
    "reads a key": f"works = read('FOLDER/key') == {SECRET.encode()!r}",
    "follows a link": "os.symlink('FOLDER/key', '/tmp/link-PORT'); read('/tmp/link-PORT')",
    "writes a file": "works = libc.open(b'FOLDER/harm', os.O_CREAT | os.O_WRONLY, 0o600) >= 0",
    "deletes a file": "os.unlink('FOLDER/notes')",
    "empties a file": "os.truncate('FOLDER/progress', 0)",
    "sees other processes": "works = len([it for it in os.listdir('/proc') if it.isdecimal()]) > 3",
}
JUDGE = PROJECT_DIR / "lessons/workshop/judge"
ANSWERS = [
    *(LESSON.solution, LESSON.mistakes, LESSON.check, LESSON.exercise, find("stop").solution),
    *(LESSON.path_to("hints.md"), LESSON.path_to("teach.md"), "/etc/passwd", "/etc/shadow"),
    *(PROJECT_DIR / it for it in (".git", ".workshop", "work", "tests")),
    *(it for it in JUDGE.glob("*.py") if it.name not in ("__init__.py", "student_test.py")),
]
HIDDEN = [*map(os.fsencode, ANSWERS)]
FOLDERS = [
    *("/", "/usr", "/dev", "/proc", "/etc", os.path.expanduser("~"), os.path.dirname(os.__file__)),
    *(str(PROJECT_DIR / it) for it in ("", "work", "lessons/workshop/course", "lessons")),
]
# These would harm this machine if they worked outside of a sandbox, so they have no control.
MACHINE = {
    "reads an answer": f"works = any(libc.open(it, 0) >= 0 for it in {HIDDEN})",
    "writes to a folder": f"""
works = any(
    libc.open(os.fsencode(it) + b"/harm", os.O_CREAT | os.O_WRONLY, 0o644) >= 0 for it in {FOLDERS}
)""",
    "becomes another program": "works = libc.execl(b'/bin/true', b'true', None) != -1",
}
HELPERS = f"""{C_LIBRARY}
import socket, subprocess
def read(path):
    with open(path, "rb") as file:
        return file.read(10**6)
def is_child_or(fork):
    process = fork()
    if process == 0:
        os._exit(0)
    return process > 0
"""


def batch(attacks, folder, port) -> str:
    """Code that tries each attack once, and prints its name with DONE or refused."""
    lines = []
    for name, code in attacks.items():
        code = code.replace("FOLDER", str(folder)).replace("PORT", str(port)).strip()
        body = "".join(f"        {line}\n" for line in code.splitlines())
        tried = f"    works = True\n    try:\n{body}    except OSError:\n        works = False\n"
        lines.append(f"{tried}    print({name!r}, 'DONE' if works else 'refused')\n")
    return f"{HELPERS}if not hasattr(sys, 'done'):\n    sys.done = True\n{''.join(lines)}"


@contextmanager
def planted(folder):
    """What the attacks want: files in `folder`, a variable, and a server. Yields its socket."""
    folder.mkdir()
    for name in PLANTED:
        (folder / name).write_text(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        server.settimeout(0)
        patch.setenv("API_TOKEN", SECRET)
        yield server


@pytest.fixture
def judged():
    """Judges code in bubblewrap."""
    sandbox = bubblewrap()
    return lambda code, **options: judge_code(code, sandbox, **options)


def printed(found) -> list[str]:
    """The lines that a green submission has printed."""
    assert (found.state, found.reason, found.detail) == ("green", "", "")
    return found.verdict.output.splitlines()


def diagnoses(found) -> list[str]:
    """The diagnoses of a red submission."""
    assert found.state == "red"
    return found.verdict.diagnosis_ids


def once(code: str) -> str:
    """Code for the first import only: a submission is imported again for each conversation."""
    lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
    return f"if not hasattr(sys, 'done'):\n    sys.done = True\n{lines}"


@pytest.mark.parametrize("kind", ["bubblewrap", "without"])
def test_refuses_every_attack_and_judges_the_consumer(tmp_path, kind):
    sandbox = bubblewrap() if kind == "bubblewrap" else WITHOUT_BUBBLEWRAP
    attacks = ANYWHERE | FILES | MACHINE if kind == "bubblewrap" else ANYWHERE
    folder = tmp_path / "planted"
    with planted(folder) as server:
        code = batch(attacks, folder, server.getsockname()[1])
        found = judge_code(code, sandbox)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert printed(found) == [f"{name} refused" for name in attacks]
    assert {it.name: it.read_text() for it in folder.iterdir()} == PLANTED
    assert not any(os.path.exists(os.path.join(it, "harm")) for it in FOLDERS)


def test_control_each_attack_works_outside_of_a_sandbox(tmp_path):
    attacks = ANYWHERE | FILES
    with planted(tmp_path / "planted") as server:
        port = server.getsockname()[1]
        code = batch(attacks, tmp_path / "planted", port)
        command = [sys.executable, "-c", code]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    os.unlink(f"/tmp/link-{port}")
    assert ran.stdout.splitlines() == [f"{name} DONE" for name in attacks]


def test_limits_threads_memory_and_files(judged):
    code = f"""
import threading
end, threads, parts = threading.Event(), [], []
try:
    while len(threads) < 1000:
        threads.append(threading.Thread(target=end.wait, daemon=True))
        threads[-1].start()
except RuntimeError as error:
    print(error, len(threads) < 130)
end.set()
for thread in threads[:-1]:
    thread.join()
try:
    while True:
        parts.append(b"x" * 50 * {MIB})
except MemoryError:
    print("memory", len(parts) <= 20)
del parts
for folder in ("/tmp", "/dev/shm"):
    written = 0
    try:
        for number in range(10):
            with open(f"{{folder}}/filled{{number}}", "wb", buffering=0) as file:
                for _ in range(30):
                    written += file.write(bytes({MIB}))
    except OSError as error:
        print(written <= 64 * {MIB}, error.strerror)
    for number in range(3):
        os.remove(f"{{folder}}/filled{{number}}")
"""
    assert printed(judged(once(code))) == [
        "can't start new thread True",
        "memory True",
        *["True No space left on device"] * 2,
    ]


def test_leaves_nothing_to_the_next_submission(judged):
    left = ["/tmp/left", "/dev/shm/left"]
    assert printed(judged(f"for it in {left}: open(it, 'w').close()")) == []
    look = f"print([it for it in {left} if os.path.exists(it)])"
    assert printed(judged(look)) == ["[]"]


def test_what_it_writes_to_descriptors_leads_nowhere_and_what_it_prints_is_cut(judged, capfd):
    code = f"""
for descriptor in (1, 2):
    os.write(descriptor, b"forged" * {MIB})
print("x" * 50 * {MIB})
"""
    found = judged(once(code))
    assert printed(found)[-1].endswith("more characters were printed and cut]")
    assert len(found.verdict.output) < 4100
    assert "forged" not in found.verdict.output
    assert capfd.readouterr() == ("", "")


def test_a_submission_out_of_memory_is_red_and_its_finding_names_the_limit(judged):
    found = judged(f"big = bytearray({3 * 1024} * {MIB})")
    assert diagnoses(found) == ["import-error"]
    error, limit = found.verdict.findings[0].detail.splitlines()
    assert error.startswith("MemoryError")
    assert limit == "The sandbox gives a submission 1024 MiB of memory."


def test_a_submission_out_of_time_is_ended_and_not_judged(judged, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = judged("import threading\nthreading.Event().wait()", total_time=2)
    assert (found.state, found.reason) == (NOT_JUDGED, judging.TIMED_OUT)
    # On a busy machine the player may not have started by then. It ends when it has.
    wait_until(lambda: not processes_in(tmp_path))
    assert os.listdir(tmp_path) == []


def processes_in(folder) -> list[dict]:
    """Players: the copy of the submission in the command of bubblewrap is in `folder`."""
    running = [it.info for it in psutil.process_iter(["cmdline"])]
    return [it for it in running if str(folder) in str(it["cmdline"])]


# What it sends

FORGERIES = """
import msgpack, pickle
class Harm:
    def __reduce__(self):
        return open, ("harm", "w")
for data in (msgpack.packb(["played", 1, {"bursts": []}]), pickle.dumps(Harm())):
    for descriptor in range(3, 50):
        try:
            os.write(descriptor, len(data).to_bytes(4, "big") + data)
        except OSError:
            pass
"""
REPLACED = """
import asyncio, json
from lessons.workshop.engine.process import conversation
conversation.Conversation.report = lambda *_, **__: {}
json.dumps = json.loads = lambda *_, **__: {}
asyncio.all_tasks = lambda *_: set()
"""
EQUALS = """
class Everything(str):
    __eq__ = lambda *_: True
    __ne__ = lambda *_: False
    __hash__ = str.__hash__
"""
READING = "READINGS[self.unit]"
FAILS = "def fail():\n    raise MemoryError"
FRAME = f'self.send({{"type": "websocket.send", "text": {READING}}})'
LARGE = f"for _ in range(50): {FRAME.replace(READING, repr('x' * 900_000))}"
RED = {  # code, the consumer below it, and its diagnosis
    "writes reports and a pickle": (FORGERIES, WRONG, None),
    "equals everything": (EQUALS, RIGHT.replace(READING, "Everything('21')"), None),
    "raises MemoryError": (FAILS, RIGHT.replace(READING, f"{READING} + fail()"), "exception"),
    "calls exit": ("sys.exit()", RIGHT, "calls-exit"),
    "ends its process": ("os._exit(0)", RIGHT, "process-died"),
    "sends a large report": ("", RIGHT.replace(FRAME, LARGE), "process-died"),
}


@pytest.mark.parametrize("code, consumer, diagnosis", RED.values(), ids=RED)
def test_a_submission_that_is_wrong_or_ends_itself_is_red(judged, code, consumer, diagnosis):
    found = diagnoses(judged(code, more=consumer))
    assert found[0] == (diagnosis or found[0])
    assert not os.path.exists("harm")


def test_a_submission_that_breaks_the_player_is_not_judged(judged):
    found = judged(REPLACED, more=WRONG)
    assert (found.state, found.reason) == (NOT_JUDGED, judging.JUDGE_FAILED)


# The file


@pytest.mark.parametrize("content", [b"(" * 100_000, bytes(range(256)) * 10, b"x = 1\0", b""])
def test_a_file_that_is_not_a_module_is_red(content):
    found = judge_content(content, bubblewrap())
    assert diagnoses(found)[0] in ("syntax-error", "wrong-encoding", "name-missing")
    assert found.verdict.findings[0].file == found.verdict.target == LESSON.exercise.name
