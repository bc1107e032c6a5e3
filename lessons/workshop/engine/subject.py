"""What is played: the code of a consumer or a function, and where it is mounted."""

import hashlib
from dataclasses import dataclass
from importlib.util import decode_source
from pathlib import Path


@dataclass(frozen=True)
class Subject:
    """The name of a class or function, and the file that defines it: plain data.

    The file runs again for each conversation; with a `module`, the module of that name is imported
    instead. `base` is the class of channels.consumer that the class must subclass. `source`
    replaces the file's text. `path` is the URL path of a client that names none. `route` and
    `stack` are the URL pattern and the qualified name of the middleware around a consumer whose
    file has no application; with `application`, its file must have one. `issuer` is the module
    whose issue(user) issues tickets, if the file has no issue().
    """

    title: str  # what a verdict calls it
    file: Path
    name: str
    base: str | None = None
    source: str | None = None
    module: str = ""
    path: str = "/"
    route: str | None = None
    stack: str | None = None
    application: str | None = None
    issuer: str = ""

    def digest(self) -> str:
        """A digest of the file's text; empty if the file cannot be read."""
        try:
            content = self.file.read_bytes() if self.source is None else self.source.encode()
        except OSError:
            return ""
        return hashlib.sha256(content).hexdigest()

    def text(self) -> str:
        """The text that is judged; empty if the file cannot be read."""
        try:
            return read_python(self.file) if self.source is None else self.source
        except (OSError, SyntaxError, ValueError):
            return ""


def read_python(file: Path) -> str:
    """The text of a Python file, decoded as Python does it: with a BOM or a coding line, too.

    Raises UnicodeDecodeError, or SyntaxError or LookupError for an unknown encoding.
    """
    return decode_source(file.read_bytes())
