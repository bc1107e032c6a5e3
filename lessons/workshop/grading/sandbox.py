"""Starts the process that plays a stranger's submission, so that it can do no harm.

lessons/guides/grading.md says what a submission can do on Linux with bubblewrap (`bwrap`), and
without. In both cases it has limits, no environment, /dev/null as descriptors 0, 1 and 2 and, on
x86-64 and ARM, a filter of system calls: it starts no process and opens no socket.
Each start is a new sandbox. It takes nothing over from an earlier one, and writes no bytecode.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from lessons.workshop.course.lesson_index import PROJECT_DIR, lessons
from lessons.workshop.engine.process.data import receive_data, send_data
from lessons.workshop.engine.process.player_handle import PlayerNotStarted
from lessons.workshop.engine.subject import Subject
from lessons.workshop.grading import player_program
from lessons.workshop.grading.system_calls import has_filter
from lessons.workshop.setup.external_programs import BUBBLEWRAP
from lessons.workshop.setup.limits import Limits

# What the code of a submission may use.
SUBMISSION = Limits(memory=1024**3, file_size=64 * 1024**2, processor_time=120, tasks=128)
START_TIMEOUT = 30.0  # seconds: on a busy machine a process starts slowly
END_TIMEOUT = 5.0  # seconds
MEMORY_FOR_FILES = 64 * 1024**2  # bytes of its /tmp, and of its /dev/shm
UNPRIVILEGED = 65534  # the user that root becomes
_ENVIRONMENT = {
    "LANG": "C.UTF-8",  # else Python would decode files with ASCII
    "DJANGO_SETTINGS_MODULE": "lessons.settings",
    "PYTHONHASHSEED": "0",  # the order of a set of texts is the same in each verdict
}
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/etc/ld.so.cache")
# What plays, without what judges and without the lessons. The apps of the demos come to it.
_PROJECT = """
    lessons/__init__.py lessons/settings.py lessons/extras
    lessons/workshop/__init__.py lessons/workshop/setup lessons/workshop/page/__init__.py
    lessons/workshop/grading/__init__.py lessons/workshop/grading/player_program.py
    lessons/workshop/grading/system_calls.py
    lessons/workshop/judge/__init__.py lessons/workshop/judge/student_test.py
    lessons/workshop/engine/__init__.py lessons/workshop/engine/subject.py
    lessons/workshop/engine/recording lessons/workshop/engine/scheduling
    lessons/workshop/engine/world lessons/workshop/engine/faults
    lessons/workshop/engine/script lessons/workshop/engine/process
"""
_NO_FILTER = "On this processor, a submission can start processes."
_CURE = (
    "Only judge submissions of people that you trust, or judge them in a container: see "
    'lessons/guides/grading.md, "Code of strangers".'
)


@dataclass(frozen=True)
class Sandbox:
    """What this machine can do. `warning` is empty if submissions are contained."""

    uses_bubblewrap: bool
    warning: str = ""


@cache
def find_sandbox() -> Sandbox:
    """The best sandbox that works on this machine. It was tried."""
    problem = _try_bubblewrap()
    if not problem:
        return Sandbox(True, "" if has_filter() else _NO_FILTER)
    network = "" if has_filter() else ", and use the network with your rights"
    return Sandbox(False, f"{problem} A submission can read your files{network}. {_CURE}")


def _try_bubblewrap() -> str:
    """Why bubblewrap does not contain a process here; empty if it does."""
    if sys.platform != "linux":
        return "Only Linux has bubblewrap."
    if BUBBLEWRAP.find() is None:
        return f"{BUBBLEWRAP.missing()}."
    command = [*_bubblewrap([]), sys.executable, "-c", "import django"]
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": START_TIMEOUT}
    try:
        tried = subprocess.run(command, env=_ENVIRONMENT, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not work: {error}."
    return f"bubblewrap says: {_last_line(tried.stderr)}." if tried.returncode else ""


class SandboxedPlayer:
    """A program that plays one submission. It has started when this object exists.

    Without bubblewrap, its files are in `folder`. Raises PlayerNotStarted.
    """

    def __init__(self, sandbox: Sandbox, folder: Path, subject: Subject, timeout: float):
        self.pipe, theirs = multiprocessing.Pipe()
        command = [sys.executable, "-m", player_program.__name__, str(theirs.fileno())]
        if sandbox.uses_bubblewrap:
            user = UNPRIVILEGED if os.getuid() == 0 else None
            order = player_program.Order(subject, timeout, "/tmp", SUBMISSION, user)
            command = [*_bubblewrap([subject.file]), *command]
        else:
            folder.mkdir(exist_ok=True)
            limits = replace(SUBMISSION, tasks=None)  # it would count all tasks of the user
            order = player_program.Order(subject, timeout, str(folder), limits, None)
        self._process = subprocess.Popen(
            command,
            cwd=PROJECT_DIR,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            start_new_session=not sandbox.uses_bubblewrap,
        )
        theirs.close()
        try:
            self._wait_until_started(order)
        except BaseException:
            self.end()
            raise

    def _wait_until_started(self, order: player_program.Order) -> None:
        try:
            send_data(self.pipe, order)
            if not self.pipe.poll(START_TIMEOUT):
                raise PlayerNotStarted(f"It did not start within {START_TIMEOUT:g} s.")
            receive_data(self.pipe, 100)
        except (OSError, EOFError):
            self.exit_code(END_TIMEOUT)
            errors = os.read(self._process.stderr.fileno(), 10_000)
            raise PlayerNotStarted(_last_line(errors)) from None

    def exit_code(self, timeout: float) -> int | None:
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        # bubblewrap reports a signal as a shell does.
        return 128 - code if code - 128 in signal.valid_signals() else code

    def end(self) -> None:
        """Without bubblewrap and without the filter, a process in another group goes on."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                if os.getpgid(self._process.pid) == self._process.pid:
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        self._process.wait()
        self._process.stderr.close()
        # The system ends all of a sandbox after its first process. The pipe closes at the end.
        with suppress(OSError):
            while self.pipe.poll(END_TIMEOUT) and os.read(self.pipe.fileno(), 1 << 20):
                pass
        self.pipe.close()


def _bubblewrap(files: list[Path]) -> list[str]:
    """The beginning of a command that runs in a sandbox, which also has these files, read-only."""
    python = (sys.base_prefix, os.path.dirname(os.path.dirname(sys._base_executable)), sys.prefix)
    apps = sorted({lesson.app for lesson in lessons()})
    parts = [PROJECT_DIR / part for part in (*_PROJECT.split(), *apps)]
    shown = [*map(Path, python), *files, *parts]
    # bubblewrap alone would make the folders above them for root.
    above = dict.fromkeys(folder for path in shown for folder in reversed(path.parents[:-1]))
    in_memory = ["--perms", "1777", "--size", str(MEMORY_FOR_FILES), "--tmpfs"]
    user = ["--unshare-user"]
    if os.getuid() == 0:  # it becomes another user in the sandbox: see player_program
        user = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [
        *(BUBBLEWRAP.find() or "", "--die-with-parent", "--new-session"),
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-cgroup-try"),
        *("--unshare-uts", "--hostname", "sandbox", *user),
        *(word for path in _SYSTEM for word in ("--ro-bind-try", path, path)),
        *("--proc", "/proc", "--dev", "/dev", *in_memory, "/dev/shm", *in_memory, "/tmp"),
        # The project may be in one of the folders above, such as /usr/src.
        *("--tmpfs", str(PROJECT_DIR)),
        *(word for folder in above for word in ("--dir", str(folder))),
        *(word for path in shown for word in ("--ro-bind", str(path), str(path))),
        *("--remount-ro", "/dev", "--remount-ro", str(PROJECT_DIR), "--remount-ro", "/"),
        *("--chdir", str(PROJECT_DIR), "--"),
    ]


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines() or ["it said nothing"]
    return lines[-1].strip().rstrip(".")
