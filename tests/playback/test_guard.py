"""A submission cannot use the answers, write into the project, or change the engine."""

import os
import signal
import sys
import tempfile
import textwrap
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from lessons.core.catalogue import COURSE_DIR, PROJECT_DIR, find
from lessons.judge import judge
from lessons.playback import session as session_module
from lessons.playback.session import CourseError, Session, SessionEnded
from lessons.playback.target import Target, resolve

SOLUTION = COURSE_DIR / "03_stop" / "solution.py"
CHECK = COURSE_DIR / "05_await" / "check.py"
NAMES = f"""\
import os
SOLUTION, CHECK = {str(SOLUTION)!r}, {str(CHECK)!r}
PROJECT, FOLDER = {str(PROJECT_DIR)!r}, {str(SOLUTION.parent)!r}
"""


def target(key, source):
    lesson = find(key)
    return Target("cheating", lesson.exercise, lesson.exercise_name, lesson.exercise_base, source)


def with_solution(key, *, beginning="", handler=""):
    """The right solution, which runs `beginning` on import and `handler` for each frame."""
    source = find(key).solution.read_text(encoding="utf-8")
    if handler:
        head, colon, body = source.partition("def websocket_receive(self, event):\n")
        source = head + colon + textwrap.indent(textwrap.dedent(handler), " " * 8) + body
    return target(key, beginning + "\n" + source)


def diagnoses(verdict):
    return {finding.diagnosis for finding in verdict.findings}


def caught(attempt):
    """The attempt, in code that hides its exception."""
    attempt = textwrap.indent(textwrap.dedent(attempt), "    ")
    return f"try:\n{attempt}\nexcept Exception:\n    pass\n"


@pytest.fixture
def victim():
    """A file of the project that may be damaged."""
    folder = PROJECT_DIR / "tests" / "playback"
    descriptor, name = tempfile.mkstemp(".victim", ".", folder)
    os.write(descriptor, b"unchanged")
    os.close(descriptor)
    yield name
    for file in folder.glob(f"{os.path.basename(name)}*"):
        file.rmdir() if file.is_dir() else file.unlink()


READS = {
    "open": "open(SOLUTION).read()",
    "os.open": "os.open(SOLUTION, os.O_RDONLY)",
    "pathlib": "import pathlib; pathlib.Path(CHECK).read_text()",
    "a path as bytes": "open(os.fsencode(SOLUTION))",
    "a path with dots": "open(os.path.join(FOLDER, '..', '03_stop', 'solution.py'))",
    "the folder of processes": "open('/proc/self/root' + SOLUTION)",
    "another working folder": "os.chdir(FOLDER); open('solution.py')",
    "the descriptor of a folder": """\
        folder = os.open(FOLDER, os.O_RDONLY)
        os.open("solution.py", os.O_RDONLY, dir_fd=folder)""",
    "the descriptor of a folder far away": """\
        folder = os.open("/", os.O_RDONLY)
        os.open(SOLUTION.lstrip("/"), os.O_RDONLY, dir_fd=folder)""",
    "a symbolic link": """\
        import tempfile
        link = os.path.join(tempfile.mkdtemp(), "notes.txt")
        os.symlink(SOLUTION, link)
        open(link)""",
    "an import by path": """\
        from importlib.util import module_from_spec, spec_from_file_location
        spec = spec_from_file_location("answer", SOLUTION)
        spec.loader.exec_module(module_from_spec(spec))""",
    "a loader": """\
        from importlib.machinery import SourceFileLoader
        SourceFileLoader("answer", SOLUTION).get_code("answer")""",
    "runpy": "import runpy; runpy.run_path(SOLUTION)",
    "linecache": """\
        import linecache
        linecache.clearcache()
        assert not linecache.getlines(SOLUTION)""",
    "fileinput": "import fileinput; list(fileinput.input([CHECK]))",
    "shutil": "import shutil; shutil.copy(SOLUTION, '/tmp/answer')",
    "the folder as a path of modules": "import sys; sys.path.insert(0, FOLDER); import solution",
    "the project's history": "open(os.path.join(PROJECT, '.git'))",
    "the judge's submissions": "open(PROJECT + '/tests/submissions/03_stop.toml')",
    "the judge": "import lessons.judge.claims",
    "the judge with importlib": "import importlib; importlib.import_module('lessons.judge.claims')",
    "the authors' tools": "import lessons.authoring.verify",
}

WRITES = {
    "open for reading and writing": "open(VICTIM, 'r+')",
    "append": "open(VICTIM, 'a')",
    "a new file": "open(VICTIM + '2', 'w')",
    "the descriptor of a folder": """\
        folder = os.open(os.path.dirname(VICTIM), os.O_RDONLY)
        os.open(os.path.basename(VICTIM) + "2", os.O_WRONLY | os.O_CREAT, dir_fd=folder)""",
    "rename": "os.rename(VICTIM, VICTIM + '2')",
    "replace": "os.replace(VICTIM, VICTIM + '2')",
    "move": "import shutil; shutil.move(VICTIM, '/tmp/victim')",
    "remove": "os.remove(VICTIM)",
    "remove in an open folder": """\
        folder = os.open(os.path.dirname(VICTIM), os.O_RDONLY)
        os.unlink(os.path.basename(VICTIM), dir_fd=folder)""",
    "pathlib": "import pathlib; pathlib.Path(VICTIM).unlink()",
    "link": "os.link(VICTIM, VICTIM + '2')",
    "symlink": "os.symlink('/dev/null', VICTIM + '2')",
    "mkdir": "os.mkdir(VICTIM + '2')",
    "truncate": "os.truncate(VICTIM, 0)",
    "chmod": "os.chmod(VICTIM, 0)",
    "utime": "os.utime(VICTIM, (0, 0))",
    "sqlite": "import sqlite3; sqlite3.connect(VICTIM + '2').execute('create table a (b)')",
    "a link to the folder": """\
        import tempfile
        link = os.path.join(tempfile.mkdtemp(), "notes")
        os.symlink(os.path.dirname(VICTIM), link)
        open(os.path.join(link, os.path.basename(VICTIM)), "w")""",
}

PROGRAMS = {
    "system": "os.system('cat ' + SOLUTION)",
    "a shell pattern": "os.system('cat lessons/course/03*/s*.py')",
    "run": "import subprocess; subprocess.run(['cat', SOLUTION])",
    "a working folder": "import subprocess; subprocess.run(['cat', 'solution.py'], cwd=FOLDER)",
    "git": "import subprocess; subprocess.run('git show HEAD:lessons', shell=True)",
    "python": "import subprocess, sys; subprocess.run([sys.executable, '-c', f'open({CHECK!r})'])",
    "a writer": """\
        import subprocess
        subprocess.Popen(f'sleep 9; echo > {FOLDER}/never_made.py', shell=True)""",
    "exec": "os.execv('/bin/cat', ['cat', SOLUTION])",
    "posix_spawn": "os.posix_spawn('/bin/cat', ['cat', SOLUTION], {})",
    "a terminal": "import pty; pty.spawn(['cat', SOLUTION])",
}


if not Path("/proc/self/root").exists():
    del READS["the folder of processes"]
if os.name == "nt":
    PROGRAMS.clear()


@pytest.mark.parametrize("attempt", [*READS.values(), *PROGRAMS.values()])
def test_an_attempt_is_refused_even_if_its_exception_is_caught(attempt):
    verdict = judge(find("stop"), with_solution("stop", beginning=NAMES + caught(attempt)))
    assert not verdict.green
    assert diagnoses(verdict) == {"course-file-used"}
    lines = attempt.count("\n") + 1
    assert NAMES.count("\n") + 2 <= verdict.findings[0].line <= NAMES.count("\n") + 1 + lines
    assert "may not use" in verdict.findings[0].detail


@pytest.mark.parametrize("attempt", WRITES.values(), ids=WRITES)
def test_the_project_cannot_be_written_into(attempt, victim):
    handler = NAMES + f"VICTIM = {victim!r}\n" + caught(attempt)
    assert diagnoses(judge(find("await"), with_solution("await", handler=handler))) == {
        "course-file-used"
    }
    assert Path(victim).read_bytes() == b"unchanged"
    assert os.stat(victim).st_mode & 0o777 == 0o600
    assert not os.path.lexists(f"{victim}2")


WAYS = {
    "a thread": """\
        import threading
        thread = threading.Thread(target=open, args=[SOLUTION])
        thread.start()
        thread.join()""",
    "a pool": """\
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(1) as pool:
            pool.submit(open, SOLUTION)""",
    "a callback of the loop": """\
        import asyncio
        asyncio.get_running_loop().call_soon(open, SOLUTION)""",
    "a thread of the loop": "import asyncio; await asyncio.to_thread(open, SOLUTION)",
    "code of another name": "exec(compile('open(SOLUTION)', '<other>', 'exec'))",
    "eval": "eval('open(SOLUTION)')",
    "a destructor": """\
        Late = type("Late", (), {"__del__": lambda self: open(SOLUTION)})
        Late()""",
}


@pytest.mark.parametrize("attempt", WAYS.values(), ids=WAYS)
def test_it_does_not_matter_who_opens_an_answer(attempt):
    verdict = judge(find("await"), with_solution("await", handler=NAMES + caught(attempt)))
    assert "course-file-used" in diagnoses(verdict)
    assert verdict.findings[0].diagnosis == "course-file-used"


def test_an_answer_that_the_parent_process_has_loaded_is_forgotten():
    judge(find("stop"), "solution")
    attempt = """\
        import linecache, sys
        found = linecache.getlines(SOLUTION) or [it for it in sys.modules if "solution" in it]
        assert not found, found
    """
    key = "stop"
    source = NAMES + textwrap.dedent(attempt)
    with Session(find(key), with_solution(key, beginning=source)) as session:
        session.wait_until_loaded()
        assert session.problem is None


def test_an_exception_that_is_not_caught_is_shown():
    source = f"open({str(SOLUTION)!r})"
    [finding] = judge(find("stop"), with_solution("stop", beginning=source)).findings
    assert finding.diagnosis == "import-error"
    assert "may not use lessons/course/03_stop/solution.py" in finding.detail


@pytest.mark.parametrize("key", ["stop", "await"])
def test_an_attempt_stays_reported_after_its_process_has_ended(key):
    handler = NAMES + caught("open(SOLUTION)") + "os._exit(0)\n"
    assert diagnoses(judge(find(key), with_solution(key, handler=handler))) == {"course-file-used"}


CHANGES = {
    "the end of a conversation": """\
        from lessons.playback.conversation_run import ConversationRun
        usual = ConversationRun.report
        ConversationRun.report = lambda self, stuck=None: {**usual(self), "leftovers": []}""",
    "the search for leftovers": """\
        from lessons.playback import leftovers
        leftovers.Leftovers.watched = None""",
    "the report": """\
        from lessons.playback import session
        session._Reporter.send = lambda *_: None""",
    "the encoding of a report": """\
        from lessons.playback import child_process
        usual = child_process.packed
        child_process.packed = lambda *values: usual(*values)""",
    "the list of tasks": "import asyncio; asyncio.all_tasks = lambda: set()",
    "the list of threads": "import threading; threading.enumerate = list",
    "the guard": "from lessons.playback import guard; guard.install = guard._identity = None",
    "a module": "import sys, types; sys.modules['lessons.simulator.loop'] = types.ModuleType('x')",
    "the code of a function": """\
        from lessons.playback.leftovers import Leftovers
        Leftovers._find_threads.__code__ = (lambda self, before: None).__code__""",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_engine_is_reported(change):
    beginning = caught(change)
    assert diagnoses(judge(find("stop"), with_solution("stop", beginning=beginning))) == {
        "engine-changed"
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_copy_of_the_process_is_refused():
    attempt = caught("import os\nos.fork()")
    assert diagnoses(judge(find("stop"), with_solution("stop", beginning=attempt))) == {
        "starts-a-process"
    }


MULTIPROCESSING = """\
import multiprocessing
multiprocessing.current_process()._config["daemon"] = False
process = multiprocessing.get_context(METHOD).Process(target=print)
process.start()
process.join()
"""
FORK_EXEC = """\
import sys
ARGUMENTS = (["true"], ["/bin/true"], True, (), None, None, *[-1] * 6, *os.pipe())
ARGUMENTS += (False, False, -1, None, None, None, -1, None, False)
"""
STARTS = {
    "spawn": MULTIPROCESSING.replace("METHOD", "'spawn'"),
    "forkserver": MULTIPROCESSING.replace("METHOD", "'forkserver'"),
    "the function of multiprocessing": f"{FORK_EXEC}\n"
    "import _posixsubprocess; _posixsubprocess.fork_exec(*ARGUMENTS)",
    "the function of subprocess": f"{FORK_EXEC}\nimport subprocess\n"
    "subprocess._fork_exec(*ARGUMENTS)",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="these functions are POSIX")
@pytest.mark.parametrize("attempt", STARTS.values(), ids=STARTS)
def test_a_process_that_raises_no_event_is_refused(attempt):
    attempt = f"import os\n{caught(attempt)}"
    assert diagnoses(judge(find("stop"), with_solution("stop", beginning=attempt))) == {
        "starts-a-process"
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this module is POSIX")
def test_the_usual_way_to_start_a_process_cannot_be_imported_again():
    attempt = """\
        import importlib, sys
        del sys.modules["_posixsubprocess"]
        importlib.import_module("_posixsubprocess")"""
    verdict = judge(find("stop"), with_solution("stop", beginning=caught(attempt)))
    assert diagnoses(verdict) == {"course-file-used"}


# SIGCONT harms no running process. If the guard fails, SIGKILL would end these tests, or all.
SIGNALS = {
    "its parent": "os.kill(os.getppid(), signal.SIGCONT)",
    "the group of its parent": "os.killpg(os.getpgid(os.getppid()), signal.SIGCONT)",
    "a group by a negative number": "os.kill(-os.getpgid(os.getppid()), signal.SIGCONT)",
    "all processes": "os.kill(-1, signal.SIGCONT)",
    "a limit of its parent": """\
        import resource
        resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0))""",
}


@pytest.mark.skipif(not hasattr(os, "getsid"), reason="sessions are POSIX")
@pytest.mark.parametrize("attempt", SIGNALS.values(), ids=SIGNALS)
@pytest.mark.parametrize("place", ["beginning", "handler"])
def test_a_signal_to_another_process_is_refused(attempt, place):
    attempt = "import os, signal\n" + caught(attempt)
    verdict = judge(find("stop"), with_solution("stop", **{place: attempt}))
    assert diagnoses(verdict) == {"ends-a-process"}


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX")
def test_a_signal_to_a_group_whose_first_process_has_ended_is_refused():
    with Popen(["sh", "-c", "sleep 600 & echo $!"], stdout=PIPE, start_new_session=True) as first:
        member = int(first.stdout.readline())
    try:
        assert os.getpgid(member) == first.pid
        handler = f"import os, signal\n{caught(f'os.killpg({first.pid}, signal.SIGCONT)')}"
        verdict = judge(find("stop"), with_solution("stop", handler=handler))
        assert diagnoses(verdict) == {"ends-a-process"}
    finally:
        os.kill(member, signal.SIGKILL)


FORGED = """\
import os, stat, struct
from lessons.playback.child_process import packed
report = {"turns": [], "leftovers": [], "events": [], "stuck": None, "thread_sleeps": [],
          "number": 1, "unknown step": "", "output": "", "cut": 0}
data = packed(("played", report))
for descriptor in range(3, 50):
    try:
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            os.write(descriptor, struct.pack("!i", len(data)) + data)
    except OSError:
        pass
"""


@pytest.mark.parametrize("key", ["stop", "await"])
def test_a_forged_report_makes_the_verdict_red(key):
    verdict = judge(find(key), with_solution(key, handler=FORGED))
    assert not verdict.green
    assert diagnoses(verdict) <= {"process-died", "event-missing", "stuck"}


FORGERIES = {
    "a fault": ('("played", report)', '("fault", "check.py is broken")'),
    "an unknown step": ('"unknown step": ""', '"unknown step": "conect"'),
    "an endless number": ('"cut": 0', '"cut": float("inf")'),
}


@pytest.mark.parametrize("old, new", FORGERIES.values(), ids=FORGERIES)
def test_a_report_that_blames_the_course_makes_the_verdict_red(old, new):
    assert old in FORGED
    verdict = judge(find("stop"), with_solution("stop", handler=FORGED.replace(old, new)))
    assert diagnoses(verdict) == {"process-died"}


def test_a_fault_that_the_solution_has_too_is_one_of_the_course():
    with Session(find("stop"), with_solution("stop")) as session:
        session.wait_until_loaded()
        with pytest.raises(CourseError, match="conect"):
            session.play(["conect"])


def test_a_report_on_another_conversation_is_refused():
    with Session(find("stop"), with_solution("stop", handler=FORGED)) as session:
        session.wait_until_loaded()
        assert session.play(["connect", "text 1"]).turns == ()  # the forged report is the first
        with pytest.raises(SessionEnded) as ended:
            session.play(["connect"])
        assert "not the report on conversation 2" in ended.value.finding.detail


ALLOWED = {
    "a temporary file": "import tempfile; tempfile.TemporaryFile().write(b'a')",
    "a log with a relative name": "open('frames.log', 'a').write('a')",
    "a temporary folder": """\
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "a", "b"), exist_ok=True)
            name = os.path.join(folder, "a", "solution.py")
            open(name, "w").close()
            os.rename(name, os.path.join(folder, "check.py"))
            os.symlink(PROJECT, os.path.join(folder, "link"))
            os.chmod(os.path.join(folder, "check.py"), 0o600)""",
    "a late import": "import colorsys, email.mime.text, xml.dom.minidom",
    "importlib": "import importlib; importlib.import_module('wave')",
    "a module of the project": "from db_demo.models import Entry; import layers_demo",
    "standard error": "import logging, sys; logging.error('a'); print('b', file=sys.stderr)",
    "a log on standard error": """\
        import logging
        logging.captureWarnings(True)
        logging.getLogger(__name__).warning("a", stack_info=True)
        logging.captureWarnings(False)""",
    "its own source": "import inspect; assert inspect.getsource(Attempt).startswith('class')",
    "its callers": """\
        import inspect, traceback
        inspect.stack()
        traceback.format_stack()""",
    "a file of the project": "open(os.path.join(PROJECT, 'manage.py')).read()",
    "threads": """\
        import threading
        thread = threading.Thread(target=tempfile_in_thread)
        thread.start()
        thread.join()""",
    "its own database": """\
        import sqlite3, tempfile
        sqlite3.connect(":memory:").close()
        sqlite3.connect("file::memory:?cache=shared", uri=True).close()
        sqlite3.connect("file:a?mode=memory&cache=shared", uri=True).close()
        with tempfile.TemporaryDirectory() as folder:
            sqlite3.connect(os.path.join(folder, "a.db")).close()""",
    "a module in an archive": """\
        import importlib, sys, tempfile, zipfile
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "a.zip")
            with zipfile.ZipFile(name, "w") as archive:
                archive.writestr("archived_module.py", "answer = 42")
            sys.path.insert(0, name)
            assert importlib.import_module("archived_module").answer == 42
            sys.path.remove(name)""",
    "a module in a new file": """\
        import importlib.util, tempfile
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "solution.py")
            open(name, "w").write("answer = 42")
            spec = importlib.util.spec_from_file_location("solution", name)
            spec.loader.exec_module(importlib.util.module_from_spec(spec))""",
    "a path that cannot exist": """\
        for path in ("a" + chr(0), "solution.py" + chr(0)):
            try:
                open(path)
            except ValueError:
                pass
            try:
                open("a/solution.py")
            except FileNotFoundError:
                pass""",
    "the null device": "open(os.devnull, 'w').close(); open(os.devnull, 'r+').close()",
    "a folder's names": "os.listdir(PROJECT); os.path.exists(SOLUTION); os.stat(SOLUTION)",
    "an existing folder": "import pathlib; pathlib.Path('/tmp').mkdir(parents=True, exist_ok=True)",
    "a program": """\
        import platform, subprocess, sys, uuid
        subprocess.run([sys.executable, "-c", "import time; time.time()"], check=True)
        subprocess.run("echo a | wc -l", shell=True, check=True, capture_output=True)
        platform.platform(), uuid.uuid1()""",
    "memory that processes share": """\
        from multiprocessing.shared_memory import SharedMemory
        memory = SharedMemory(create=True, size=10)
        memory.close()
        memory.unlink()""",
    "signals to itself and to a program that it has started": """\
        import signal, subprocess, sys, threading
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getppid(), 0)
        program = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        program.kill()
        program.communicate()""",
    "attributes of functions": """\
        def greet(name="a"):
            return name
        greet.__defaults__ = ("b",)
        assert greet() == "b" """,
    "a patch that ends": """\
        from unittest import mock
        with mock.patch("time.time", lambda: 0):
            pass""",
    "the garbage collector": "import gc; gc.collect(); gc.get_objects(); gc.get_referrers(os)",
    "hooks for exceptions": """\
        import sys, threading
        sys.excepthook = threading.excepthook = print""",
}
HELPERS = """
import tempfile


def tempfile_in_thread():
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"a")


class Attempt:
    pass
"""


@pytest.mark.parametrize("key", ["stop", "await"])
@pytest.mark.parametrize("code", ALLOWED.values(), ids=ALLOWED)
def test_other_files_and_modules_may_be_used(key, code):
    source = NAMES + HELPERS + textwrap.dedent(code)
    with Session(find(key), with_solution(key, beginning=source)) as session:
        session.wait_until_loaded()
        assert session.problem is None
        steps = ["connect", "text 1", "text 2", "close"]
        played = session.play(steps)
        assert played.leftovers == ()
        assert [turn.faults for turn in played.turns] == [()] * len(steps)


@pytest.mark.parametrize("key", ["stop", "await"])
def test_what_is_allowed_keeps_the_verdict_green(key):
    quick = (code for name, code in ALLOWED.items() if name != "a program")
    code = "\n".join(map(textwrap.dedent, quick))
    verdict = judge(find(key), with_solution(key, beginning=NAMES + HELPERS + code))
    assert verdict.green, verdict.findings


def test_a_submission_may_read_its_own_file(tmp_path):
    file = tmp_path / "solution.py"
    source = find("stop").solution.read_text(encoding="utf-8")
    file.write_text(f"assert 'StopConsumer' in open(__file__).read()\n{source}", encoding="utf-8")
    with Session(find("stop"), resolve(find("stop"), str(file))) as session:
        session.wait_until_loaded()
        assert session.problem is None
        assert session.play(["connect"]).leftovers == ()


def test_a_submission_cannot_write_its_own_file(victim):
    source = find("stop").solution.read_text(encoding="utf-8")
    source = caught("open(__file__, 'a')") + source
    lesson = find("stop")
    names = lesson.exercise_name, lesson.exercise_base
    verdict = judge(lesson, Target("cheating", Path(victim), *names, source))
    assert diagnoses(verdict) == {"course-file-used"}


def test_a_temporary_folder_may_be_within_the_project(monkeypatch):
    with tempfile.TemporaryDirectory(dir=PROJECT_DIR / "tests", prefix=".") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        source = "import tempfile; tempfile.NamedTemporaryFile()"
        with Session(find("replay"), with_solution("replay", beginning=source)) as session:
            session.wait_until_loaded()
            assert session.problem is None
            assert session.play(["connect"], session_module.PlayOptions(database=True)).turns


def test_an_import_writes_no_bytecode(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    # A hidden one: other tests copy the project at the same time.
    folder = tempfile.mkdtemp(dir=PROJECT_DIR / "tests" / "playback", prefix=".")
    try:
        with open(os.path.join(folder, "new_module.py"), "w") as file:
            file.write("answer = 42\n")
        source = f"import sys; sys.path.insert(0, {folder!r}); import new_module"
        with Session(find("stop"), with_solution("stop", beginning=source)) as session:
            session.wait_until_loaded()
            assert session.problem is None
            assert session.play(["connect"]).leftovers == ()
        assert os.listdir(folder) == ["new_module.py"]
    finally:
        os.remove(os.path.join(folder, "new_module.py"))
        os.rmdir(folder)
