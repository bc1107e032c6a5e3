"""Notices when a secret, such as a ticket, is logged or printed."""

import logging
import sys
from contextlib import ExitStack
from threading import get_ident
from unittest import mock

from lessons.workshop.engine.faults.finding import Finding, Place, make_finding, running_place


class WrittenSecrets:
    """Looks for the secrets in all that is logged, at any level, or printed.

    It begins with the first secret, and ends with close(). `findings` has one for each line of
    `file` that has written a secret since the list was emptied.
    """

    def __init__(self, file: str):
        self.findings: list[Finding] = []
        self._file = file
        self._secrets: set[str] = set()
        self._stack = ExitStack()

    def add(self, secret: str) -> None:
        if not self._secrets:
            self._begin()
        self._secrets.update({secret} - {""})

    def close(self) -> None:
        self._stack.close()

    def look(self, text: str) -> None:
        """Look for the secrets in a text that has been written."""
        shown = text
        for secret in self._secrets:
            shown = shown.replace(secret, "[the secret]")
        if shown != text:
            place = running_place(self._file, get_ident()) or Place(self._file)
            finding = make_finding("secret-logged", place, detail=f"Written: {shown.strip()}")
            if all(known.line != finding.line for known in self.findings):
                self.findings.append(finding)

    def _begin(self) -> None:
        handler, root = _Handler(self.look), logging.getLogger()
        self._stack.callback(root.setLevel, root.level)
        self._stack.callback(root.removeHandler, handler)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        for name in ("stdout", "stderr"):
            stream = _Stream(getattr(sys, name), self.look)
            self._stack.enter_context(mock.patch.object(sys, name, stream))


class _Handler(logging.Handler):
    def __init__(self, look):
        super().__init__()
        self._look = look

    def emit(self, record):
        self._look(self.format(record))


class _Stream:
    """A text stream that shows what is written to `look`, too."""

    def __init__(self, stream, look):
        self._stream = stream
        self._look = look

    def write(self, text):
        self._look(text)
        return self._stream.write(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)
