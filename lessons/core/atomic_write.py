"""Files that are written whole or not at all, and what to do where that cannot be."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_ROOM = "Make room on its disk"
_RIGHTS = "Make its folder writable, or copy the project to a folder of your own"
_CURES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EROFS: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
}


def write(file: Path, content: bytes) -> None:
    """Write to a second file, then rename it: no reader sees a half-written file."""
    _write(file, content, os.replace)


def create(file: Path, content: bytes) -> None:
    """Write a file that does not exist yet. Raises FileExistsError where it does."""
    _write(file, content, _rename_without_overwriting)


def _write(file: Path, content: bytes, rename: Callable[[Path, Path], None]) -> None:
    new = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
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
    """What happened, where, and what to do about it."""
    cure = _CURES.get(error.errno)
    return f"{error}. {cure}, then try again." if cure else str(error)
