"""Writes files completely or not at all, and explains why a file cannot be written."""

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_FREE_SPACE = "Make room on its disk"
_ALLOW_WRITING = "Make its folder writable, or copy the project to a folder of your own"
_CURES = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EROFS: _ALLOW_WRITING,
    errno.EACCES: _ALLOW_WRITING,
    errno.EPERM: _ALLOW_WRITING,
}


def write(file: Path, content: bytes, permissions: int = 0o666) -> None:
    """Write to a second file, then rename it: no reader sees a half-written file."""
    _write(file, content, os.replace, permissions)


def create(file: Path, content: bytes, permissions: int = 0o666) -> None:
    """Write a file that does not exist yet. Raises FileExistsError if it exists."""
    _write(file, content, _rename_without_overwriting, permissions)


def _write(
    file: Path,
    content: bytes,
    rename: Callable[[Path, Path], None],
    permissions: int = 0o666,  # without those that the umask takes away
) -> None:
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
