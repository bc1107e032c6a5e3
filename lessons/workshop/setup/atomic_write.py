"""Writes files completely or not at all, and explains why a file cannot be written."""

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_ALLOW_WRITING = "Make its folder writable, or copy the project to a folder of your own"
_CURES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Make room on its disk"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), _ALLOW_WRITING),
}


def write(
    file: Path,
    content: bytes,
    permissions: int = 0o666,  # without those that the umask takes away
    rename: Callable[[Path, Path], None] = os.replace,
) -> None:
    """Write to a second file, then rename it: no reader sees a half-written file."""
    # A unique name, because another process may write the same file at the same time.
    new = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_native_id()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.touch(permissions)
        new.write_bytes(content)
        rename(new, file)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        error.filename = error.filename or str(file)  # a full disk does not say where it is
        raise


def create(file: Path, content: bytes, permissions: int = 0o666) -> None:
    """Write a file that does not exist yet. Raises FileExistsError if it exists."""
    write(file, content, permissions, _rename_without_overwriting)


def _rename_without_overwriting(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        os.rename(source, target)
    else:
        source.unlink()


def explain_os_error(error: OSError) -> str:
    """What happened, in which file, and what to do."""
    cure = _CURES.get(error.errno)
    return f"{error}. {cure}, then try again." if cure else str(error)
