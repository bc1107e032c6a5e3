"""Files that are written whole or not at all, and what to do where that cannot be."""

import errno
import os
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
    """Write to a second file, then rename: nobody sees half of it, and a full disk leaves none."""
    new = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(content)
        os.replace(new, file)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        error.filename = error.filename or str(file)  # a full disk does not say where it is
        raise


def with_cure(error: OSError) -> str:
    """What happened, where, and what to do about it."""
    cure = _CURES.get(error.errno)
    return f"{error}. {cure}, then try again." if cure else str(error)
