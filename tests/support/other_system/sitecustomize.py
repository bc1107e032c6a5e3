"""Shows the project's code another system than the one that it runs on.

Python imports this module at its start if its folder is on PYTHONPATH. OTHER_SYSTEM is `windows` or
`macos`. The project's modules then import a view of os, sys, signal and others, in which names are
missing or behave as on that system. Libraries still see the real ones, because they were installed
for this system. What both share is changed for all: how multiprocessing starts a process, which
selector asyncio uses, what an event loop cannot do.

Not shown: other separators in paths, files that cannot be deleted while they are open, consoles,
kqueue, the Proactor loop's own way to read.
"""

import builtins
import importlib
import os
import sys
from types import ModuleType

PROJECT = (
    *("lessons", "lessons_loaded", "manage", "tests", "conftest"),
    *("sync_demo", "async_demo", "layers_demo", "auth_demo", "db_demo"),
)
REMOVED = object()


class View(ModuleType):
    """A module as the project sees it: `changes` holds other values, or REMOVED."""

    def __init__(self, module: ModuleType, changes: dict):
        object.__setattr__(self, "_module", module)
        object.__setattr__(self, "_changes", changes)

    def __getattribute__(self, name):
        changes = object.__getattribute__(self, "_changes")
        module = object.__getattribute__(self, "_module")
        value = changes[name] if name in changes else getattr(module, name)
        if value is REMOVED:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name)
        return value

    def __setattr__(self, name, value):
        object.__getattribute__(self, "_changes").pop(name, None)
        setattr(object.__getattribute__(self, "_module"), name, value)


def install(changes: dict[str, dict], missing: set[str], new: dict[str, ModuleType]) -> None:
    """Let the project import views with these changes, and neither see the missing modules."""
    sys.modules.update(new)
    views = {name: View(importlib.import_module(name), one) for name, one in changes.items()}
    usual_import = builtins.__import__

    def import_for_project(name, globals=None, locals=None, fromlist=(), level=0):
        if level or not is_of_project(globals):
            return usual_import(name, globals, locals, fromlist, level)
        if name in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        found = usual_import(name, globals, locals, fromlist, level)
        return views.get(name if fromlist else name.partition(".")[0], found)

    builtins.__import__ = import_for_project


def is_of_project(importer: dict | None) -> bool:
    name = (importer or {}).get("__name__") or ""
    if name == "__main__":
        file = importer.get("__file__") or ""
        return os.path.basename(file) == "manage.py" or f"{os.sep}lessons{os.sep}" in file
    return name.partition(".")[0] in PROJECT


def removed(names: str) -> dict:
    return dict.fromkeys(names.split(), REMOVED)


def use_spawn() -> None:
    """Let multiprocessing start processes as Windows and macOS do."""
    import multiprocessing

    multiprocessing.set_start_method("spawn")


def show_windows() -> None:
    import asyncio
    import enum
    import multiprocessing.context
    import select
    import selectors
    import signal
    import socket
    import stat
    import subprocess
    import venv

    kill = os.kill  # a student's code sees the view

    class Signals(enum.IntEnum):
        SIGINT, SIGILL, SIGFPE, SIGSEGV, SIGTERM, SIGBREAK, SIGABRT = 2, 4, 8, 11, 15, 21, 22

    def set_handler(number, handler):
        if number not in [*Signals]:
            raise ValueError("signal number out of range")
        return None if number == Signals.SIGBREAK else signal.signal(number, handler)

    def terminate(pid, number):
        """Any signal but Ctrl-C and Ctrl-Break ends the process at once."""
        kill(pid, signal.SIGINT if number in (0, 1) else signal.SIGKILL)

    def wait_for_sockets(read, write, other, seconds=None):
        for item in (*read, *write, *other):
            number = item if isinstance(item, int) else item.fileno()
            if number >= 0 and not stat.S_ISSOCK(os.fstat(number).st_mode):
                raise OSError(10038, "An operation was attempted on something that is not a socket")
        return select.select(read, write, other, seconds)

    class Popen(subprocess.Popen):
        def __init__(self, *arguments, creationflags=0, **options):
            for name in ("preexec_fn", "pass_fds"):
                if options.get(name):
                    raise ValueError(f"{name} is not supported on Windows platforms")
            super().__init__(*arguments, **options)

        def send_signal(self, number):
            if self.poll() is None:
                terminate(self.pid, number)

        def terminate(self):
            self.send_signal(Signals.SIGTERM)

        kill = terminate

    def stat_without_folder(path, *, dir_fd=None, follow_symlinks=True):
        if dir_fd is not None:
            raise NotImplementedError("dir_fd unavailable on this platform")
        return os.stat(path, follow_symlinks=follow_symlinks)

    class EnvBuilder(venv.EnvBuilder):
        def post_setup(self, context):
            folder = os.path.join(context.env_dir, "Scripts")
            os.makedirs(folder, exist_ok=True)
            os.symlink(context.env_exe, os.path.join(folder, "python.exe"))

    class ProactorEventLoop(asyncio.SelectorEventLoop):
        """The loop that can start processes."""

        async def subprocess_exec(self, *arguments, creationflags=0, **options):
            return await asyncio.BaseEventLoop.subprocess_exec(self, *arguments, **options)

    for name in ("fork", "forkserver"):
        del multiprocessing.context._concrete_contexts[name]
    use_spawn()
    socket.socketpair = socketpair_of_tcp
    selectors.DefaultSelector = selectors.SelectSelector
    refuse_in_loops(asyncio.SelectorEventLoop, "subprocess_exec subprocess_shell")
    asyncio.ProactorEventLoop = ProactorEventLoop
    unix_signals = [one for one in signal.Signals.__members__ if one not in Signals.__members__]
    install(
        {
            "os": {
                "name": "nt",
                "kill": terminate,
                "stat": stat_without_folder,
                **removed(
                    "fork forkpty killpg getpgid getpgrp setpgid setpgrp setsid getsid getuid"
                    " geteuid getgid getegid getgroups setuid setgid register_at_fork nice"
                    " getloadavg mkfifo mknod openpty posix_spawn posix_spawnp pidfd_open"
                    " sched_getaffinity sched_setaffinity wait wait3 wait4 waitid WNOHANG fchmod"
                    " fchown chown lchown chroot sync uname pread pwrite sendfile execv execvp"
                    " getxattr setxattr O_NONBLOCK O_CLOEXEC O_DIRECTORY O_NOFOLLOW ttyname ctermid"
                ),
            },
            "sys": {"platform": "win32"},
            "signal": {
                "Signals": Signals,
                "signal": set_handler,
                "SIGBREAK": Signals.SIGBREAK,
                "CTRL_C_EVENT": 0,
                "CTRL_BREAK_EVENT": 1,
                **removed(
                    "pthread_sigmask pthread_kill sigpending sigwait sigwaitinfo sigtimedwait alarm"
                    " pause setitimer getitimer siginterrupt pidfd_send_signal SIG_BLOCK"
                    " SIG_UNBLOCK SIG_SETMASK"
                ),
                **dict.fromkeys(unix_signals, REMOVED),
            },
            "socket": removed("AF_UNIX send_fds recv_fds SO_REUSEPORT SOCK_CLOEXEC SOCK_NONBLOCK"),
            "select": {"select": wait_for_sockets, **removed("poll epoll")},
            "subprocess": {"Popen": Popen, "CREATE_NEW_PROCESS_GROUP": 0x200},
            "time": removed("pthread_getcpuclockid clock_gettime tzset"),
            "venv": {"EnvBuilder": EnvBuilder},
            "asyncio": removed("create_unix_server open_unix_connection start_unix_server"),
        },
        {
            "fcntl",
            "resource",
            "termios",
            "tty",
            "pty",
            "pwd",
            "grp",
            "syslog",
            "readline",
            "curses",
        },
        {"msvcrt": windows_console()},
    )


def socketpair_of_tcp(family=None, kind=1, proto=0):
    """Windows has no pair of Unix sockets: Python connects two of TCP."""
    import socket

    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    return theirs, ours


def refuse_in_loops(loop_class: type, names: str) -> None:
    def refuse(self, *arguments, **options):
        raise NotImplementedError

    unix = "add_signal_handler remove_signal_handler create_unix_connection create_unix_server"
    for name in (*unix.split(), *names.split()):
        setattr(loop_class, name, refuse)


def windows_console() -> ModuleType:
    """The module msvcrt: keys of the console, and locks of files."""
    import fcntl
    import select

    module = ModuleType("msvcrt")
    module.LK_NBLCK = 2

    def locking(descriptor, mode, count):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(13, "Permission denied") from None

    module.locking = locking
    module.kbhit = lambda: bool(select.select([0], [], [], 0)[0])
    module.getwch = lambda: os.read(0, 1).decode("latin-1")
    return module


def show_macos() -> None:
    import resource
    import selectors

    usual_open = builtins.open

    def open_without_proc(file, *arguments, **options):
        is_hidden = isinstance(file, str) and file.startswith("/proc")
        if is_hidden and is_of_project(sys._getframe(1).f_globals):
            raise FileNotFoundError(2, "No such file or directory", file)
        return usual_open(file, *arguments, **options)

    def set_limit(kind, limits):
        if kind == resource.RLIMIT_AS:
            raise ValueError("current limit exceeds maximum limit")
        resource.setrlimit(kind, limits)

    use_spawn()
    builtins.open = open_without_proc
    selectors.DefaultSelector = selectors.PollSelector
    install(
        {
            "os": removed(
                "pidfd_open sched_getaffinity sched_setaffinity sched_setscheduler memfd_create"
                " eventfd copy_file_range posix_fadvise posix_fallocate getrandom splice getxattr"
                " setxattr listxattr removexattr getresuid setresuid"
            ),
            "sys": {"platform": "darwin"},
            "signal": removed("pidfd_send_signal sigtimedwait sigwaitinfo SIGRTMIN SIGPWR SIGCLD"),
            "socket": removed("SOCK_CLOEXEC SOCK_NONBLOCK AF_NETLINK AF_PACKET"),
            "select": removed("epoll"),
            "resource": {"setrlimit": set_limit, "prlimit": REMOVED},
            "time": removed("pthread_getcpuclockid"),
        },
        set(),
        {},
    )


{"windows": show_windows, "macos": show_macos, "": lambda: None}[
    os.environ.get("OTHER_SYSTEM", "")
]()
