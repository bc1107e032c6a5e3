"""What strangers may hand in: each test names what it looks at, and finds it unharmed.

Most submissions do their harm when they are imported, and are right below that. So they are green:
a verdict judges the consumer. What they achieve, they print, and the verdict has what was printed.
"""

import os
import resource
import socket
import tempfile

import psutil
import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from lessons.workshop.grading import submission
from lessons.workshop.grading.submission import NOT_JUDGED, judge_submission
from tests.support.programs.running_program import wait_until
from tests.support.submissions import LESSON, RIGHT, WITHOUT_BUBBLEWRAP, bubblewrap, judge_code

MIB = 1024**2


@pytest.fixture
def judged(tmp_path):
    """Judges code in bubblewrap."""
    sandbox = bubblewrap()
    return lambda code, **options: judge_code(tmp_path, code, sandbox, **options)


@pytest.fixture(params=["bubblewrap", "without"])
def judged_anywhere(request, tmp_path):
    """Judges code in bubblewrap, and where that does not work."""
    sandbox = bubblewrap() if request.param == "bubblewrap" else WITHOUT_BUBBLEWRAP
    return lambda code, **options: judge_code(tmp_path, code, sandbox, **options)


def printed(found) -> list[str]:
    """The lines that a green submission has printed."""
    assert (found.state, found.reason, found.detail) == ("green", "", "")
    return found.verdict.output.splitlines()


def diagnoses(found) -> list[str]:
    """The diagnoses of a red submission."""
    assert found.state == "red"
    return found.verdict.diagnosis_ids


def attempt(code: str) -> str:
    """Code that catches what the guard or the system raises."""
    return f"try:\n    {code}\nexcept OSError:\n    pass"


def once(code: str) -> str:
    """Code for the first import only: a submission is imported again for each conversation."""
    lines = "".join(f"    {line}\n" for line in code.strip().splitlines())
    return f"if not hasattr(sys, 'done'):\n    sys.done = True\n{lines}"


# Processes


def test_starts_no_process(judged_anywhere):
    # Were a fork to work, the new process would end at once, so the test stays harmless.
    code = """
for _ in range(5):
    process = libc.fork()
    if process == 0:
        os._exit(0)
    print(process)
"""
    assert printed(judged_anywhere(once(code))) == ["-1"] * 5


def test_os_fork_is_red(judged_anywhere):
    assert "starts-a-process" in diagnoses(judged_anywhere(attempt("os.fork()")))


def test_no_program_outlives_its_submission(judged_anywhere):
    code = """
import subprocess
for options in ({}, {"start_new_session": True}, {"close_fds": False}):
    try:
        subprocess.Popen(["sleep", "20.98765"], **options)
    except OSError as error:
        print(type(error).__name__)
print(libc.system(b"sleep 20.98765 &") == 0)
print(libc.execl(b"/bin/sleep", b"sleep", b"20.98765", None))
"""
    assert printed(judged_anywhere(once(code))) == ["PermissionError"] * 3 + ["False", "-1"]
    running = [it.info["cmdline"] for it in psutil.process_iter(["cmdline"])]
    assert ["sleep", "20.98765"] not in running


def test_starts_a_limited_number_of_threads(judged):
    code = """
import threading
end, threads = threading.Event(), []
try:
    while len(threads) < 1000:
        threads.append(threading.Thread(target=end.wait, daemon=True))
        threads[-1].start()
except RuntimeError as error:
    print(error, len(threads) < 130)
end.set()
for thread in threads[:-1]:
    thread.join()
"""
    assert printed(judged(once(code))) == ["can't start new thread True"]


def test_signals_no_other_process(judged_anywhere):
    # Signal 0 asks for the permission only: without the filter, root may end any process.
    code = "print([libc.kill(process, 0) for process in (os.getppid(), 1)])"
    assert printed(judged_anywhere(code)) == ["[-1, -1]"]


def test_os_kill_of_the_parent_is_red_without_bubblewrap(tmp_path):
    code = attempt("os.kill(os.getppid(), 9)")
    assert "ends-a-process" in diagnoses(judge_code(tmp_path, code, WITHOUT_BUBBLEWRAP))


def test_sees_its_own_processes_only(judged):
    code = "print(sorted(it for it in os.listdir('/proc') if it.isdecimal()))"
    pids = printed(judged(code))[0]
    assert len(pids.split()) <= 3  # bubblewrap, and the player


# Memory, files and time


@pytest.mark.parametrize("code", [f"big = bytearray({3 * 1024} * {MIB})", "big = 'x' * 10**10"])
def test_a_submission_out_of_memory_is_red_and_its_finding_names_the_limit(judged_anywhere, code):
    found = judged_anywhere(code)
    assert diagnoses(found) == ["import-error"]
    error, limit = found.verdict.findings[0].detail.splitlines()
    assert error.startswith("MemoryError")
    assert limit == "The sandbox gives a submission 1024 MiB of memory."


@pytest.mark.parametrize("error", ["MemoryError()", "ValueError('MemoryError')"])
def test_a_consumer_that_raises_a_memory_error_stays_red(judged, error):
    reading = "READINGS[self.chosen]"
    wrong = RIGHT.replace(reading, f"{reading}, **fail()")
    assert wrong != RIGHT
    code = f"def fail():\n    raise {error}"
    assert diagnoses(judged(code, more=wrong)) == ["exception"]


def test_grows_to_a_limit_even_if_it_catches_the_error(judged_anywhere):
    code = f"""
parts = []
try:
    while True:
        parts.append(b"x" * 50 * {MIB})
except MemoryError:
    print(len(parts) <= 20)
del parts
"""
    assert printed(judged_anywhere(once(code))) == ["True"]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1100 * 1024  # KiB


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_fills_64_mib_of_memory_and_no_disk(judged, folder):
    code = f"""
written = 0
try:
    for number in range(10):
        with open(f"{folder}/filled{{number}}", "wb", buffering=0) as file:
            for _ in range(30):
                written += file.write(bytes({MIB}))
except OSError as error:
    print(written // {MIB}, error.strerror)
for number in range(3):
    os.remove(f"{folder}/filled{{number}}")
"""
    size, error = printed(judged(once(code)))[0].split(" ", 1)
    assert int(size) <= 64
    assert error == "No space left on device"
    assert not os.path.exists(f"{folder}/filled0")


def test_a_file_has_at_most_64_mib_without_bubblewrap(tmp_path):
    code = f"""
written = 0
try:
    with open("filled", "wb", buffering=0) as file:
        for _ in range(100):
            written += file.write(bytes({MIB}))
except OSError as error:
    print(written // {MIB}, error.strerror)
"""
    found = judge_code(tmp_path, once(code), WITHOUT_BUBBLEWRAP)
    assert printed(found) == ["64 File too large"]


def test_writes_to_no_folder_of_this_machine(judged, tmp_path):
    folders = ["/", "/usr", "/dev", "/proc", "/etc", os.path.expanduser("~"), str(tmp_path)]
    folders += [str(PROJECT_DIR / it) for it in ("", "work", "lessons/workshop/course", "lessons")]
    folders += [os.path.dirname(os.__file__)]
    code = f"""
for folder in {folders}:
    created = libc.open(os.fsencode(folder) + b"/harm", os.O_CREAT | os.O_WRONLY, 0o644)
    if created >= 0:
        print(folder)
"""
    assert printed(judged(code)) == []
    assert not any(os.path.exists(os.path.join(folder, "harm")) for folder in folders)


def test_an_endless_loop_is_red(judged_anywhere):
    assert "stuck" in diagnoses(judged_anywhere("while True: pass"))


def test_a_submission_out_of_time_is_ended_and_not_judged(judged_anywhere, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = judged_anywhere("import threading\nthreading.Event().wait()", total_time=4)
    assert (found.state, found.reason) == (NOT_JUDGED, submission.TIMED_OUT)
    assert found.detail == "It has not ended after 4 s."
    # On a busy machine the player may not have started by then. It ends when it has.
    wait_until(lambda: not processes_in(tmp_path))
    assert os.listdir(tmp_path) == ["handed_in.py"]


def processes_in(folder) -> list[dict]:
    """Players: their working folder, or the copy in the command of bubblewrap, is in `folder`."""
    running = [it.info for it in psutil.process_iter(["cmdline", "cwd"])]
    return [it for it in running if str(folder) in f"{it['cmdline']} {it['cwd']}"]


# What it can read


def test_reads_no_answer_no_other_submission_and_no_home(judged, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "key").write_text("secret")
    (tmp_path / "other_submission.py").write_text("answer = 42")
    paths = [LESSON.solution, LESSON.mistakes, LESSON.check, LESSON.path_to("hints.md")]
    paths += [find("stop").solution, LESSON.exercise, LESSON.path_to("teach.md")]
    paths += [
        PROJECT_DIR / it for it in (".git", ".workshop", "work", "tests", "lessons/workshop/judge")
    ]
    paths += [home / "key", tmp_path / "other_submission.py", "/etc/passwd", "/etc/shadow"]
    code = f"print([it for it in {[*map(str, paths)]} if libc.open(it.encode(), 0) >= 0])"
    assert printed(judged(code)) == ["[]"]


def test_a_link_to_a_solution_leads_nowhere(judged):
    code = f"""
os.symlink({str(LESSON.solution)!r}, "/tmp/link")
print(libc.open(b"/tmp/link", 0))
"""
    assert printed(judged(once(code))) == ["-1"]


def test_gets_no_environment_variable_of_the_instructor(judged_anywhere, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "secret")
    code = """
print(os.environ.get("API_TOKEN"))
for process in ("self", "1"):
    descriptor = libc.open(f"/proc/{process}/environ".encode(), 0)
    print(b"API_TOKEN" in os.read(descriptor, 10**6) if descriptor >= 0 else False)
"""
    assert printed(judged_anywhere(code)) == ["None", "False", "False"]


def test_knows_nothing_of_the_judge(judged_anywhere):
    code = """
import gc
judge = [name for name in sys.modules if name.startswith(("lessons.workshop.judge", "lessons"))]
models = [it for it in gc.get_objects() if isinstance(it, type) and it.__name__ == "Model"]
print(judge, [it for it in models if it.__module__.startswith("lessons")])
"""
    assert printed(judged_anywhere(code)) == ["[] []"]


def test_opens_no_connection(judged_anywhere):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"""
import socket
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=5).sendall(b"stolen")
    print("sent")
except OSError as error:
    print(type(error).__name__)
print(libc.socket(2, 1, 0), libc.socket(1, 1, 0))
"""
        assert printed(judged_anywhere(code)) == ["PermissionError", "-1 -1"]
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_leaves_nothing_to_the_next_submission(judged):
    hide = """
for folder in ("/tmp", "/dev/shm"):
    open(f"{folder}/left", "w").close()
"""
    assert printed(judged(hide)) == []
    look = "print([it for it in ('/tmp/left', '/dev/shm/left') if os.path.exists(it)])"
    assert printed(judged(look)) == ["[]"]


# What it sends


def test_descriptors_1_and_2_lead_nowhere(judged_anywhere, capfd):
    code = f"""
for descriptor in (1, 2):
    os.write(descriptor, b"forged" * 10 * {MIB})
os.write(1, b"<testsuite/>")
"""
    assert printed(judged_anywhere(once(code))) == []
    assert capfd.readouterr() == ("", "")


def test_what_it_prints_is_cut(judged_anywhere):
    found = judged_anywhere(once(f"print('x' * 50 * {MIB})"))
    assert found.state == "green"
    assert len(found.verdict.output) < 4100
    assert found.verdict.output.endswith("more characters were printed and cut]")


def test_a_report_that_is_too_large_is_red(judged_anywhere):
    frame = 'self.send({"type": "websocket.send", "text": READINGS[self.chosen]})'
    frames = frame.replace("READINGS[self.chosen]", "'x' * 900_000")
    large = RIGHT.replace(frame, f"for _ in range(50): {frames}")
    assert large != RIGHT
    found = judged_anywhere("", more=large)
    assert diagnoses(found)[0] == "process-died"
    assert "a report that cannot be read" in found.verdict.findings[0].detail


FORGERIES = {
    "a lack of memory": "raise MemoryError",
    "the writer of reports": """
from lessons.workshop.engine.process import session
session.send_data = lambda *_: None
""",
    "the player": """
from lessons.workshop.engine.process import conversation_run
conversation_run.ConversationRun.report = lambda *_, **__: {}
""",
    "json and asyncio": """
import asyncio, json
json.dumps = json.loads = lambda *_, **__: {}
asyncio.all_tasks = lambda *_: set()
""",
    "every descriptor": """
import msgpack
for descriptor in range(3, 50):
    try:
        os.write(descriptor, msgpack.packb(["played", {"number": 1, "turns": []}]))
    except OSError:
        pass
""",
    "a pickle": """
import pickle
class Harm:
    def __reduce__(self):
        return os.system, ("touch harm",)
for descriptor in range(3, 50):
    try:
        data = pickle.dumps(Harm())
        os.write(descriptor, len(data).to_bytes(4, "big") + data)
    except OSError:
        pass
""",
}
WRONG = LESSON.original.read_text(encoding="utf-8")


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_wrong_consumer_stays_red(judged_anywhere, forgery):
    assert diagnoses(judged_anywhere(forgery, more=WRONG))
    assert not os.path.exists("harm")


@pytest.mark.parametrize(
    "code, diagnosis",
    [
        ("sys.exit()", "calls-exit"),
        ("os._exit(0)", "process-died"),
        ("os._exit(200)", "process-died"),
    ],
)
def test_a_submission_that_ends_its_process_is_red(judged_anywhere, code, diagnosis):
    assert diagnoses(judged_anywhere(code)) == [diagnosis]


# The file


@pytest.mark.parametrize(
    "name", [b"a b.py", b'it\'s "quoted".py', b"two\nlines.py", b"\xff\xfe.py", b"-rf", b"$(id).py"]
)
def test_judges_a_file_with_any_name(tmp_path, name):
    file = os.path.join(os.fsencode(tmp_path), name)
    with open(file, "wb") as opened:
        opened.write(RIGHT.encode())
    found = judge_submission(LESSON, file, sandbox=bubblewrap())
    assert found.state == "green"
    assert found.name.isprintable()
    assert found.verdict.target == found.name


CONTENTS = {
    "empty": (b"", "name-missing"),
    "not Python": (b"Dear teacher,\nhere is my work", "syntax-error"),
    "not a text": (bytes(range(256)) * 10, "wrong-encoding"),
    "null characters": (b"x = 1\0", "syntax-error"),
    "nested too deep": (b"(" * 100_000, "syntax-error"),
    "an unknown encoding": (b"# coding: klingon\n", "wrong-encoding"),
}


@pytest.mark.parametrize("content, diagnosis", CONTENTS.values(), ids=CONTENTS)
def test_a_file_that_is_not_a_module_is_red(tmp_path, content, diagnosis):
    file = tmp_path / "a.py"
    file.write_bytes(content)
    found = judge_submission(LESSON, file, sandbox=bubblewrap())
    assert diagnoses(found) == [diagnosis]
    assert found.verdict.findings[0].file == "a.py"


def test_accepts_a_byte_order_mark(tmp_path):
    file = tmp_path / "a.py"
    file.write_text(RIGHT, encoding="utf-8-sig")
    assert judge_submission(LESSON, file, sandbox=bubblewrap()).state == "green"


def test_a_file_of_10_mb_is_not_read(tmp_path):
    file = tmp_path / "a.py"
    file.write_bytes(b"#" * 10 * MIB)
    found = judge_submission(LESSON, file, sandbox=WITHOUT_BUBBLEWRAP)
    assert (found.state, found.reason) == (NOT_JUDGED, submission.TOO_LARGE)
    assert found.detail == "It has more than 1024 KiB."


def test_a_link_to_the_solution_is_not_judged(tmp_path):
    file = tmp_path / "a.py"
    file.symlink_to(LESSON.solution)
    found = judge_submission(LESSON, file, sandbox=WITHOUT_BUBBLEWRAP)
    assert (found.state, found.reason) == (NOT_JUDGED, submission.NOT_A_FILE)
    assert found.detail == "It is a symbolic link: ask for the file itself."


@pytest.mark.parametrize("create", [os.mkdir, os.mkfifo], ids=["a folder", "a pipe"])
def test_what_is_not_a_file_is_not_judged(tmp_path, create):
    create(tmp_path / "a.py")
    found = judge_submission(LESSON, tmp_path / "a.py", sandbox=WITHOUT_BUBBLEWRAP)
    assert (found.state, found.reason) == (NOT_JUDGED, submission.NOT_A_FILE)


def test_a_missing_file_is_not_judged(tmp_path):
    found = judge_submission(LESSON, tmp_path / "a.py", sandbox=WITHOUT_BUBBLEWRAP)
    assert (found.reason, found.detail) == (submission.NOT_A_FILE, "No such file or directory")
