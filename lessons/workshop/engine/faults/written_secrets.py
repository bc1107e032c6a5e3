"""Notices when a secret, such as a ticket, is logged or printed."""

import logging
import sys
from contextlib import ExitStack
from functools import partial
from threading import get_ident
from unittest import mock

from .finding import Finding, Place, SourceFile, make_finding


class WrittenSecrets:
    """Looks for the secrets in all that is logged, at any level, or printed.

    It begins with the first secret, and ends with close(). `findings` has one for each line of
    `file` that has written a secret since the list was emptied.
    """

    def __init__(self, file: str):
        self.findings: list[Finding] = []
        self._source = SourceFile(file)
        self._secrets: set[str] = set()
        self._stack = ExitStack()
        self.close = self._stack.close

    def add(self, secret: str) -> None:
        if not self._secrets:
            handler, root = logging.Handler(), logging.getLogger()
            handler.emit = lambda record: self._look(handler.format(record))
            self._stack.callback(root.setLevel, root.level)
            self._stack.callback(root.removeHandler, handler)
            root.addHandler(handler)
            root.setLevel(logging.DEBUG)
            for stream in {sys.stdout, sys.stderr}:
                write = partial(self._look_and_write, stream.write)
                self._stack.enter_context(mock.patch.object(stream, "write", write))
        self._secrets.update({secret} - {""})

    def _look_and_write(self, write, text):
        self._look(text)
        return write(text)

    def _look(self, text: str) -> None:
        shown = text
        for secret in self._secrets:
            shown = shown.replace(secret, "[the secret]")
        if shown == text:
            return
        place = self._source.running_place(get_ident()) or Place(self._source.file)
        if all(known.line != place.line for known in self.findings):
            detail = f"Written: {shown.strip()}"
            self.findings.append(make_finding("secret-logged", place, detail=detail))
