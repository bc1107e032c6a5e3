"""Keeps a student's code away from the answers, from the judge's files and from the engine.

The student's code runs in the process that plays it. It cannot change a verdict, because another
process judges. But it could read the solution, write a file of the course, or change the engine
that observes it. An audit hook (sys.addaudithook) sees each open(), import, rename, program and the
like, and no code can remove the hook. The hook raises PermissionError, and reports the attempt to
the judging process at once, so code that catches the exception gains nothing.

The hook asks what is used, not who uses it: the engine itself never uses these files once the guard
is installed. So a thread, a callback and exec() are no way around it. Files are compared by device
and inode, so a link, another spelling or a new name of a file is that file. All state is in
closures. The process writes no bytecode (sys.dont_write_bytecode), so an import never writes into
the project.

The guard is a fence, not a sandbox. These ways stay open:
- A copy of the process (os.fork) is refused: copies multiply faster than they can be killed. So is
  a process of multiprocessing, with each of its methods: a pipe says what the process does.
- A signal to a process that the code has not started (os.kill) is refused: its parent judges it. A
  C library (ctypes) and signal.pidfd_send_signal() raise no event: ExerciseJudge notices the end.
- A program that the code starts has no hook. It is refused if its words name a file of the project
  or of the answers. A program that builds such a name, and outlives its process group, is not seen.
- A C library that opens files itself, such as ATTACH in SQLite, dbm or ctypes, raises no event.
- The judge's reports come through a pipe, and code can find its descriptor. A report that does not
  belong to the conversation that was asked for is refused, so one forged report makes the verdict
  red. To take the pipe over, code must forge every report, and so know each right transcript.
- engine_integrity.py notices a replaced function of the engine at the end of each conversation. It
  does not notice one that is put back before, a changed object, or a changed cell of a closure.
  Such code could hide a blocked loop, a task left behind or a forgotten await, but not a wrong
  reply.
- In a forked process, gc.unfreeze() and the frames of the parent lead to copies of its objects,
  such as the model of an earlier verdict.
"""

import linecache
import os
import re
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator

from lessons.core.catalogue import COURSE_DIR, PROJECT_DIR
from lessons.core.diagnoses import diagnosis
from lessons.core.engine_integrity import engine_snapshot
from lessons.simulator import STUDENT_PACKAGE, student_module
from lessons.simulator.finding import Finding, Place, make_finding, place_on_stack, running_place

_ANSWERS = ("solution", "mistakes", "check")  # names of modules in the folder of a lesson
_MODULES = ("lessons.course", "lessons.judge", "lessons.authoring")
_CODE_DIRS = tuple(os.path.join(PROJECT_DIR, *name.split("."), "") for name in _MODULES)
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
MAX_ATTEMPTS = 5  # that are reported; more say nothing new
_MAX_DESCRIPTORS = 256  # descriptors among which a folder is looked for
_MAX_DEPTH = 100  # of a folder
# Words of a program's command that no harmless program needs.
_COURSE_WORDS = ("solution", "mistakes", "check.py", "lessons", "manage.py", ".workshop", ".git")
_FILE_NAME = re.compile(r"\.(py|pyc|pth|toml|json|db|sqlite3)\Z")
# The process that removes what multiprocessing shares: for a lock, say. It runs no other code.
_RESOURCE_TRACKER = re.compile(r"from multiprocessing\.resource_tracker import main; ?main\(\d+\)")
_BETWEEN_WORDS = re.compile(r"[\s'\"()\[\]{}<>|;&=,]+")

Identity = tuple[int, int]  # device and inode


def install(
    own_file: str, folder: str, report: Callable[[Finding], object]
) -> Callable[[], list[Finding]]:
    """Guard this process from now on. Returns a function that gives the findings so far.

    If the engine was changed, that function reports the change and ends the process.

    `own_file` is the file that is judged: it may be read. `folder` is for files of the engine, even
    if it is within the project. `report` is called with each finding at once, on the thread of the
    attempt.
    """
    sys.dont_write_bytecode = True
    _forget_loaded_answers(own_file)
    attempts: list[Finding] = []
    call_before_fork_exec = _replace_fork_exec()  # before the snapshot: it has the replacement
    diagnosis("engine-changed")  # reads the diagnoses now: later the code may have broken open()
    changed_name, end_process = engine_snapshot(), os._exit
    is_answer = _answer_test(own_file)
    is_in_project = _folder_test(PROJECT_DIR, _temporary_folders(folder))
    above_project = {it for folder in PROJECT_DIR.parents if (it := _identity(folder))}
    command_test = _command_test(is_in_project)

    def note(name: str, what: str) -> None:
        if len(attempts) < MAX_ATTEMPTS:
            place = place_on_stack(own_file) or running_place(own_file) or Place(own_file)
            attempts.append(finding := make_finding(name, place, "", what))
            report(finding)

    def refuse(what: str) -> None:
        text = f"The exercise may not use {what}."
        note("course-file-used", text)
        raise PermissionError(text)

    def check_open(path, mode, flags) -> None:
        if isinstance(path, int):
            return
        path = _text(path)
        # os.open() may use the descriptor of any open folder. The event does not name it.
        is_relative = mode is None and not os.path.isabs(path)
        folders = (None, *_open_folders()) if is_relative else (None,)
        if isinstance(flags, int) and flags & _WRITE_FLAGS:
            if any(is_in_project(path, folder) for folder in folders):
                refuse(_shown(path))
            return
        imports_judge = _is_import(sys._getframe(2)) and _full(path).startswith(_CODE_DIRS)
        if imports_judge or any(is_answer(path, folder) for folder in folders):
            refuse(_shown(path))

    def check_import(name, *_) -> None:
        # Another copy of _posixsubprocess would have the usual fork_exec().
        if name.startswith(_MODULES) or name == "_posixsubprocess":
            refuse(f"the module {name}")

    def check_change(path, *others) -> None:
        """The last argument of these events is a folder's descriptor, for most of them."""
        folder = others[-1] if others and isinstance(others[-1], int) else -1
        check_paths((path, folder))

    def check_file_change(path, *_) -> None:
        if not isinstance(path, int) and is_in_project(_text(path)):
            refuse(_shown(path))

    def check_rename(source, target, source_folder=-1, target_folder=-1) -> None:
        if _identity(source) in above_project:
            refuse(_shown(source))
        check_paths((source, source_folder), (target, target_folder))

    def check_symlink(source, target, folder=-1) -> None:
        check_paths((target, folder))

    def check_paths(*paths) -> None:
        for path, folder in paths:
            if not isinstance(path, int) and is_in_project(
                _text(path), None if folder < 0 else folder, follows=False
            ):
                refuse(_shown(path))

    def check_database(name, *_) -> None:
        name = _text(name)
        if name.startswith("file:"):
            name, _, options = name.removeprefix("file:").partition("?")
            if "mode=memory" in options:
                return
        if name and name != ":memory:" and is_in_project(name):
            refuse(_shown(name))

    def check_program(path, arguments=(), folder=None, *_) -> None:
        words = [arguments] if isinstance(arguments, str | bytes) else [*(arguments or ())]
        words = [_text(word) for word in (path, *words)]
        if command_test(words, _text(folder) if folder is not None else os.getcwd()):
            refuse(f"the program {' '.join(words[1:] or words)!r}")

    def check_fork() -> None:
        text = "The workshop starts no process for an exercise"
        note("starts-a-process", text)
        raise PermissionError(text)

    def check_signal(pid, number) -> None:
        if not _may_signal(pid, number):
            refuse_signal(f"process {pid}")

    def check_group_signal(group, number) -> None:
        # Not by its first process, which may have ended: the others of the group go on.
        if number and group not in (0, os.getpgrp()):
            refuse_signal(f"process group {group}")

    def refuse_signal(receiver: str) -> None:
        text = f"The exercise may not send a signal to {receiver}."
        note("ends-a-process", text)
        raise PermissionError(text)

    def check_attribute(item, name, _) -> None:
        module = getattr(item, "__module__", None) or ""
        if name in ("__code__", "__defaults__", "__kwdefaults__") and module.startswith("lessons."):
            note("engine-changed", f"Changed: {module}.{item.__qualname__}")
            raise PermissionError("The exercise may not change the engine.")

    checks = {
        "open": check_open,
        "import": check_import,
        "os.rename": check_rename,
        "os.link": check_rename,
        "os.symlink": check_symlink,
        **dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir"), check_change),
        **dict.fromkeys(
            ("os.truncate", "os.chmod", "os.chown", "os.chflags", "os.setxattr", "os.utime"),
            check_file_change,
        ),
        "sqlite3.connect": check_database,
        **dict.fromkeys(("os.fork", "os.forkpty"), check_fork),
        "os.kill": check_signal,
        "os.killpg": check_group_signal,
        "resource.prlimit": lambda pid, _, limits: check_signal(pid, limits),
        "subprocess.Popen": check_program,
        "os.system": check_program,
        "os.exec": lambda path, arguments, *_: check_program(path, arguments),
        "os.posix_spawn": lambda path, arguments, *_: check_program(path, arguments),
        "os.spawn": lambda _, path, arguments, *__: check_program(path, arguments),
        "pty.spawn": lambda arguments: check_program("", arguments),
        "object.__setattr__": check_attribute,
    }

    def hook(event: str, arguments: tuple) -> None:
        if check := checks.get(event):
            check(*arguments)

    def findings() -> list[Finding]:
        if name := changed_name():
            note("engine-changed", f"Changed: {name}")
            end_process(1)  # nothing that it observes can be trusted
        return [*attempts]

    sys.addaudithook(hook)
    call_before_fork_exec(check_fork)
    return findings


def _replace_fork_exec() -> Callable[[Callable[[], object]], None]:
    """Replace fork_exec(), with which Python starts programs and which raises no event.

    Returns a function that sets what is called before a process is started. subprocess.Popen has
    raised its own event before: its programs may start, and the resource tracker.
    """
    refusals: list[Callable[[], object]] = []
    usual = getattr(subprocess, "_fork_exec", None)
    if usual is None:  # as on Windows
        return refusals.append
    popen = subprocess.Popen._execute_child.__code__

    def fork_exec(arguments, *others):
        arguments = [*arguments]
        if sys._getframe(1).f_code is not popen and not _is_resource_tracker(arguments):
            for refuse in refusals:
                refuse()
        return usual(arguments, *others)

    subprocess._fork_exec = sys.modules["_posixsubprocess"].fork_exec = fork_exec
    return refusals.append


def _is_resource_tracker(arguments: list) -> bool:
    words = [_text(it) for it in arguments[1:]]
    options = [*subprocess._args_from_interpreter_flags(), "-c"]
    return words[:-1] == options and _RESOURCE_TRACKER.fullmatch(words[-1]) is not None


def _forget_loaded_answers(own_file: str) -> None:
    """Remove answers from this process: a forked process has the modules of its parent.

    The cached lines of an answer become empty lines: inspect.stack() asks for the lines of each
    file that runs, and would read the file again.
    """
    for name, module in [*sys.modules.items()]:
        file = getattr(module, "__file__", None) or ""
        is_loaded_answer = name.startswith(f"{STUDENT_PACKAGE}.") and file != own_file
        if name.startswith(_MODULES) or is_loaded_answer:
            del sys.modules[name]
    for name in _MODULES:
        vars(sys.modules["lessons"]).pop(name.rpartition(".")[2], None)
    student_module.forget_compiled()
    for file in _answer_files():
        if file != own_file:
            linecache.cache[file] = (0, None, [], file)


def _answer_files() -> Iterator[str]:
    """The files that hold answers: of each lesson, and the submissions that test the judge."""
    for lesson in _names_in(COURSE_DIR):
        folder = os.path.join(COURSE_DIR, lesson)
        yield from (os.path.join(folder, f"{name}.py") for name in _ANSWERS)
        cached = os.path.join(folder, "__pycache__")
        yield from (os.path.join(cached, name) for name in _names_in(cached))
    submissions = os.path.join(PROJECT_DIR, "tests", "submissions")
    yield from (os.path.join(submissions, name) for name in _names_in(submissions, ".toml"))


def _names_in(folder, suffix="") -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.endswith(suffix)]
    except OSError:
        return []


def _answer_test(own_file: str) -> Callable[..., bool]:
    """A function that says whether a path leads to an answer, or into the project's history."""
    answers = {it for file in _answer_files() if (it := _identity(file))}
    answers.discard(_identity(own_file))
    answers |= {it for it in [_identity(PROJECT_DIR / ".git")] if it}
    names = tuple(f"{name}." for name in _ANSWERS)
    is_in_course, is_history = _folder_test(COURSE_DIR), _folder_test(PROJECT_DIR / ".git")

    def is_answer(path: str, folder: int | None = None) -> bool:
        if path == own_file:
            return False
        identity = _identity(path, folder)
        if identity is None or identity in answers:
            return identity is not None
        if os.path.basename(path).startswith(names) and is_in_course(path, folder):
            return identity != _identity(own_file)  # the file was saved again in the meantime
        return is_history(path, folder)

    return is_answer


def _folder_test(folder, exceptions: Collection[Identity] = ()) -> Callable[..., bool]:
    """A function that says whether a path leads into `folder`, or to it.

    A path into one of the folders `exceptions` does not count.
    """
    wanted = _identity(folder)

    def is_inside(path: str, base: int | None = None, follows=True) -> bool:
        """Go up from `path`, which starts at the open folder `base`. `follows` a last link."""
        if wanted is None:
            return False
        if follows and base is None:
            path = _full(path)
        found = _identity(path, base, follows)
        if found == wanted or found in exceptions:
            return found == wanted
        up = os.path.dirname(path.rstrip(os.sep)) or ("/" if path.startswith("/") else ".")
        for _ in range(_MAX_DEPTH):
            before, found = found, _identity(up, base)
            if found == wanted:
                return True
            if found is None or found == before or found in exceptions:
                return False
            up = os.path.join(up, os.pardir)
        return False

    return is_inside


def _temporary_folders(*others: str) -> set[Identity]:
    """The folders for temporary files within the project: TMPDIR may name one."""
    folders = [os.path.realpath(folder) for folder in (tempfile.gettempdir(), *others)]
    within = [folder for folder in folders if folder.startswith(f"{PROJECT_DIR}{os.sep}")]
    return {it for folder in within if (it := _identity(folder))}


def _identity(path, folder: int | None = None, follows=True) -> Identity | None:
    try:
        found = os.stat(path, dir_fd=folder, follow_symlinks=follows)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _open_folders() -> Iterator[int]:
    for descriptor in range(_MAX_DESCRIPTORS):
        try:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                yield descriptor
        except OSError:
            pass


def _command_test(is_in_project) -> Callable[[Iterable[str], str], bool]:
    """A function that says whether a program's words name a file of the project."""
    python = {sys.executable, os.path.realpath(sys.executable), sys.prefix}

    def names_the_project(words: Iterable[str], folder: str) -> bool:
        text = " ".join(words)
        for path in sorted(python, key=len, reverse=True):
            text = text.replace(path, "")
        if str(PROJECT_DIR) in text or any(word in text for word in _COURSE_WORDS):
            return True
        for word in {word for word in _BETWEEN_WORDS.split(text) if word.strip("./")}:
            path = os.path.join(folder, word)
            is_file = os.path.exists(path) or _FILE_NAME.search(word)
            if is_file and is_in_project(path):
                return True
        return False

    return names_the_project


def _may_signal(pid: int, number) -> bool:
    """Whether `pid` is this process, or one that it has started: a child has its own session.

    0 is this process or its group. Signal 0 asks whether the process exists, but on Windows it is
    Ctrl-C.
    """
    if pid == os.getpid() or not hasattr(os, "getsid"):
        return pid == os.getpid()
    try:
        return not number or pid == 0 or (pid > 0 and os.getsid(pid) == os.getsid(0))
    except OSError:  # no such process: os.kill() says so
        return True


def _is_import(frame) -> bool:
    """Whether the import system runs this frame."""
    return frame.f_code.co_filename.startswith("<frozen importlib")


def _text(path) -> str:
    return str.__str__(os.fsdecode(path))


def _full(path: str) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # a null character: no such file can exist
        return path


def _shown(path) -> str:
    path = _full(_text(path))
    return os.path.relpath(path, PROJECT_DIR) if path.startswith(f"{PROJECT_DIR}{os.sep}") else path
