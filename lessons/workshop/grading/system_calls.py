"""Refuses system calls of this process: to start processes, to signal others, to open sockets.

A limit on the number of processes does not count for root, and it counts other programs of the
user. This filter (seccomp, "man 2 seccomp") does not depend on the user, and no code can remove it.
With it, this process stays one process. So the limits on its memory and its time are limits in
total, and nothing that it starts can outlive it.
"""

import ctypes
import errno
import os
import platform
import struct
from typing import NamedTuple

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_KILL_PROCESS, _ERRNO, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_CLONE_THREAD = 0x0001_0000
_X32 = 0x4000_0000  # numbers of a second table, on x86-64 only


class _Calls(NamedTuple):
    """The numbers of system calls on one architecture, which the kernel calls `audit`."""

    audit: int
    refused: tuple[int, ...]
    own: tuple[int, ...]  # allowed if their first argument is this process, or 0
    clone: int
    clone3: int = 435


# pidfd_send_signal, io_uring_setup (which opens sockets, too), pidfd_open: everywhere the same.
_NEW = (424, 425, 434)
_CALLS = {
    "x86_64": _Calls(
        0xC000_003E,
        # socket, fork, vfork, execve, ptrace, tkill, unshare, setns, process_vm_writev, execveat
        (41, 57, 58, 59, 101, 200, 272, 308, 311, 322, *_NEW),
        own=(62, 234, 302),  # kill, tgkill, prlimit64
        clone=56,
    ),
    "aarch64": _Calls(
        0xC000_00B7,
        # unshare, ptrace, tkill, socket, execve, setns, process_vm_writev, execveat
        (97, 117, 130, 198, 221, 268, 271, 281, *_NEW),
        own=(129, 131, 261),  # kill, tgkill, prlimit64
        clone=220,
    ),
}


def has_filter() -> bool:
    """Whether there is a filter for this system and its processor."""
    return platform.system() == "Linux" and platform.machine() in _CALLS


def refuse_system_calls() -> bool:
    """Install the filter, for this thread and what it starts. False if that is not possible."""
    if not has_filter():
        return False
    program = _program(_CALLS[platform.machine()], os.getpid())
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, and where they are
    header = struct.pack("HP", len(program) // 8, ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return (
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header) == 0
    )


def _program(calls: _Calls, pid: int) -> bytes:
    """The filter in the language of the Berkeley Packet Filter.

    A comparison names how many instructions to skip if it is true, and if it is false.
    """
    refuse = _instruction(_RETURN, _ERRNO | errno.EPERM)
    allow = _instruction(_RETURN, _ALLOW)
    first_argument = _instruction(_LOAD, _FIRST_ARGUMENT)
    parts = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_IF_EQUAL, calls.audit, 1, 0),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER),
        _instruction(_IF_AT_LEAST, _X32, 0, 1),
        refuse,
    ]
    for number in calls.refused:
        parts += [_instruction(_IF_EQUAL, number, 0, 1), refuse]
    # glibc then starts the thread with clone. The flags of clone3 are behind a pointer.
    parts += [
        _instruction(_IF_EQUAL, calls.clone3, 0, 1),
        _instruction(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    is_thread = _instruction(_IF_ANY_BIT, _CLONE_THREAD, 0, 1)
    parts += [_instruction(_IF_EQUAL, calls.clone, 0, 4), first_argument, is_thread, allow, refuse]
    for number in calls.own:
        parts += [_instruction(_IF_EQUAL, number, 0, 5), first_argument]
        parts += [_instruction(_IF_EQUAL, 0, 1, 0), _instruction(_IF_EQUAL, pid, 0, 1)]
        parts += [allow, refuse]
    return b"".join([*parts, allow])


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
