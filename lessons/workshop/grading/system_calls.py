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

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_KILL_PROCESS, _ERRNO, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_CLONE_THREAD = 0x0001_0000
_SIZE = 8  # bytes of an instruction
_X32 = 0x4000_0000  # numbers of a second table, on x86-64 only


# For each processor: its number for the kernel, then numbers of system calls: clone; those that are
# allowed for this process, or 0 (kill, tgkill, prlimit64); those that are refused.
_CALLS = {
    # socket, fork, vfork, execve, ptrace, tkill, unshare, setns, process_vm_writev, execveat
    "x86_64": (0xC000_003E, 56, (62, 234, 302), (41, 57, 58, 59, 101, 200, 272, 308, 311, 322)),
    # unshare, ptrace, tkill, socket, execve, setns, process_vm_writev, execveat
    "aarch64": (0xC000_00B7, 220, (129, 131, 261), (97, 117, 130, 198, 221, 268, 271, 281)),
}
# pidfd_send_signal, io_uring_setup (which opens sockets, too), pidfd_open: everywhere the same.
_REFUSED_EVERYWHERE = (424, 425, 434)
_CLONE3 = 435


def has_filter() -> bool:
    """Whether there is a filter for this system and its processor."""
    return platform.system() == "Linux" and platform.machine() in _CALLS


def refuse_system_calls() -> None:
    """Install the filter, for this thread and what it starts. Raises OSError."""
    if not has_filter():
        return
    program = _program(*_CALLS[platform.machine()])
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, and where they are
    header = struct.pack("HP", len(program) // _SIZE, ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or prctl(_PR_SET_SECCOMP, _MODE_FILTER, header):
        raise OSError(ctypes.get_errno(), "The kernel takes no filter of system calls")


def _program(audit: int, clone: int, own: tuple, refused: tuple) -> bytes:
    """The filter in the language of the Berkeley Packet Filter.

    A comparison names how many instructions to skip if it is true, and if it is false.
    """
    refuse = _instruction(_RETURN, _ERRNO | errno.EPERM)
    allow = _instruction(_RETURN, _ALLOW)
    first_argument = _instruction(_LOAD, _FIRST_ARGUMENT)
    is_thread = _instruction(_IF_ANY_BIT, _CLONE_THREAD, 0, 1)
    is_own = _instruction(_IF_EQUAL, 0, 1, 0) + _instruction(_IF_EQUAL, os.getpid(), 0, 1)
    rules = {
        # glibc then starts the thread with clone. The flags of clone3 are behind a pointer.
        _CLONE3: _instruction(_RETURN, _ERRNO | errno.ENOSYS),
        clone: first_argument + is_thread + allow + refuse,
        **dict.fromkeys(own, first_argument + is_own + allow + refuse),
        **dict.fromkeys((*refused, *_REFUSED_EVERYWHERE), refuse),
    }
    return b"".join(
        [
            *(_instruction(_LOAD, _ARCHITECTURE), _instruction(_IF_EQUAL, audit, 1, 0)),
            _instruction(_RETURN, _KILL_PROCESS),
            *(_instruction(_LOAD, _NUMBER), _instruction(_IF_AT_LEAST, _X32, 0, 1), refuse),
            *(
                _instruction(_IF_EQUAL, number, 0, len(rule) // _SIZE) + rule
                for number, rule in rules.items()
            ),
            allow,
        ]
    )


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
