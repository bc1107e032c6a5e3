"""Starts the process that plays a stranger's submission, so that it can do no harm.

On Linux with bubblewrap (`bwrap`), the process sees a small part of this machine, read-only: the
system's programs, Python and its packages, the simulator, the demos, and the one submission. It
sees no solution, no check, no judge, no other submission, no home and no other process. It has no
network, no environment variables, and its own /tmp in memory. Three things hold without bubblewrap,
too: limits on memory, files and time; descriptors 0, 1 and 2 lead to /dev/null; and, on x86-64 and
ARM, a filter of system calls lets it start no process, open no socket and signal no other process.

Each start is a new sandbox. It takes nothing over from an earlier one, and writes no bytecode.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.util import cache_from_source
from pathlib import Path

from lessons.workshop.course.lesson_index import PROJECT_DIR, lessons
from lessons.workshop.engine.process.data import UnreadableData, receive_data, send_data
from lessons.workshop.engine.process.player_handle import (
    PlayerNotStarted,
    PlayerProcess,
    forked_player,
)
from lessons.workshop.engine.subject import Subject
from lessons.workshop.grading.player_program import PROGRAM, STARTED, Order
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
_PLAYERS = ("recording", "scheduling", "world", "faults", "script", "process")
# What plays, without what judges and without the lessons.
_WORKSHOP = (
    *("setup", "engine/subject.py", *(f"engine/{name}" for name in _PLAYERS)),
    *("grading/player_program.py", "grading/system_calls.py", "judge/student_test.py"),
)
_INITS = ("", *(f"/workshop{it}" for it in ("", "/engine", "/grading", "/judge", "/page")))
_PROJECT = (
    "lessons/settings.py",
    *(f"lessons{folder}/__init__.py" for folder in _INITS),
    *(f"lessons/workshop/{name}" for name in _WORKSHOP),
    "lessons/extras",  # an installed app
)
_CURE = (
    "Only judge submissions of people that you trust, or judge them in a container: see "
    'lessons/guides/grading.md, "Code of strangers".'
)


@dataclass(frozen=True)
class Sandbox:
    """What this machine can do. `warning` is empty if submissions are contained."""

    uses_bubblewrap: bool
    warning: str = ""

    def starter(self, folder: Path) -> Callable[..., PlayerProcess]:
        """Starts a player for a Session. In `folder` a player without bubblewrap has its files."""
        if os.name == "nt":  # descriptors cannot be passed on to a program
            return forked_player
        return partial(SandboxedPlayer, self, folder)


@cache
def find_sandbox() -> Sandbox:
    """The best sandbox that works on this machine. It was tried."""
    if problem := _try_bubblewrap():
        risk = "A submission can read your files, and use the network with your rights."
        if has_filter():
            risk = "A submission can read your files."
        return Sandbox(False, f"{problem} {risk} {_CURE}")
    if not has_filter():
        return Sandbox(True, "On this processor, a submission can start processes.")
    return Sandbox(True)


def _parts() -> list[str]:
    """What a submission sees of the project."""
    return [*_PROJECT, *sorted({lesson.app for lesson in lessons()})]


def _try_bubblewrap() -> str:
    """Why bubblewrap does not contain a process here; empty if it does."""
    if sys.platform != "linux":
        return "Only Linux has bubblewrap."
    if BUBBLEWRAP.find() is None:
        return f"{BUBBLEWRAP.missing()}."
    command = [*_bubblewrap([]), sys.executable, "-c", "import django"]
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": START_TIMEOUT}
    try:
        tried = subprocess.run(command, **options, text=True, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not work: {error}."
    if tried.returncode == 0:
        return ""
    forbidden = " This system forbids namespaces to this user."
    is_forbidden = "namespace" in tried.stderr or "not permitted" in tried.stderr
    return f"bubblewrap says: {_last_line(tried.stderr)}.{forbidden if is_forbidden else ''}"


class SandboxedPlayer:
    """A program that plays one submission. It has started when this object exists.

    Raises PlayerNotStarted.
    """

    def __init__(self, sandbox: Sandbox, folder: Path, subject: Subject, timeout: float):
        uses_bubblewrap = sandbox.uses_bubblewrap
        self.pipe, theirs = multiprocessing.Pipe()
        folder.mkdir(exist_ok=True)
        is_root = uses_bubblewrap and os.getuid() == 0
        order = Order(
            subject,
            timeout,
            "/tmp" if uses_bubblewrap else str(folder),
            # Without a namespace, this limit counts all tasks of the user.
            SUBMISSION if uses_bubblewrap else replace(SUBMISSION, tasks=None),
            UNPRIVILEGED if is_root else None,
        )
        command = [sys.executable, "-c", PROGRAM]
        if uses_bubblewrap:
            command = [*_bubblewrap([subject.file]), *command]
        self._process = subprocess.Popen(
            [*command, str(theirs.fileno())],
            cwd=PROJECT_DIR,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            start_new_session=not uses_bubblewrap,
        )
        theirs.close()
        try:
            self._wait_until_started(order)
        except BaseException:
            self.end()
            raise

    def _wait_until_started(self, order: Order) -> None:
        try:
            send_data(self.pipe, order)
            if not self.pipe.poll(START_TIMEOUT):
                raise PlayerNotStarted(f"It did not start within {START_TIMEOUT:g} s.")
            kind, self.refuses_system_calls = receive_data(self.pipe, 100)
            if kind != STARTED:
                raise PlayerNotStarted(f"Its first report is {kind!r}.")
        except (OSError, EOFError, UnreadableData):
            self.exit_code(END_TIMEOUT)
            errors = os.read(self._process.stderr.fileno(), 10_000).decode(errors="replace")
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
    parts = [PROJECT_DIR / part for part in _parts()]
    compiled = (Path(cache_from_source(part)) for part in parts if part.suffix == ".py")
    shown = [*map(Path, python), *files, *parts, *filter(Path.is_file, compiled)]
    in_memory = ["--perms", "1777", "--size", str(MEMORY_FOR_FILES), "--tmpfs"]
    return [
        *(BUBBLEWRAP.find() or "", "--die-with-parent", "--new-session", "--clearenv"),
        *(word for pair in _ENVIRONMENT.items() for word in ("--setenv", *pair)),
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-cgroup-try"),
        *("--unshare-uts", "--hostname", "sandbox"),
        *_user_options(),
        *(word for path in _SYSTEM for word in ("--ro-bind-try", path, path)),
        *("--proc", "/proc", "--dev", "/dev", *in_memory, "/dev/shm", *in_memory, "/tmp"),
        # The project may be in one of the folders above, such as /usr/src.
        *("--tmpfs", str(PROJECT_DIR)),
        *_bound_read_only(shown),
        *("--remount-ro", "/dev", "--remount-ro", str(PROJECT_DIR), "--remount-ro", "/"),
        *("--chdir", str(PROJECT_DIR), "--"),
    ]


def _bound_read_only(shown: list[Path]) -> list[str]:
    """Options that show these paths. bubblewrap alone would make folders above them for root."""
    folders = {folder: None for path in shown for folder in reversed(path.parents[:-1])}
    made = [word for folder in folders for word in ("--dir", str(folder))]
    return [*made, *(word for path in shown for word in ("--ro-bind", str(path), str(path)))]


def _user_options() -> list[str]:
    """Root becomes another user in the sandbox: see player_program. Others get a namespace."""
    if os.getuid() == 0:
        return ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return ["--unshare-user"]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1].strip().rstrip(".")
