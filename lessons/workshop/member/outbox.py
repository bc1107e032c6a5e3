"""The reports that the room has not stored yet: one file each, so that a restart loses none.

A report is complete on the disk before it is sent. Its file is deleted after room.json says that
the room has stored it. So no report is lost, and the room recognises those that it gets twice.
"""

import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lessons.workshop.member.membership import Membership
from lessons.workshop.setup import atomic_write
from lessons.workshop.student import progress

MAX_REPORTS = 2_000


class OutboxFull(Exception):
    """The room has not answered for so long that no further report is kept."""


class Outbox:
    """The reports of one membership, by sequence number.

    `versions` has, by lesson key, the version of the progress that was reported last. Without
    `is_read` the files are not opened: for a process that sends no report.
    """

    def __init__(self, membership: Membership, is_read: bool = True):
        self._folder = folder_of(membership.device)
        self._files: dict[int, Path] = {}
        self.versions = dict(membership.reported)
        self.last = membership.acknowledged
        for number in sorted(_numbers(self._folder)) if is_read else ():
            if number <= membership.acknowledged:  # the process ended before it was deleted
                _path(self._folder, number).unlink(missing_ok=True)
            elif (kept := self._read(number)) is not None:
                self._files[number] = _path(self._folder, number)
                self.versions[kept["key"]] = kept["version"]
                self.last = number

    def __len__(self) -> int:
        return len(self._files)

    def add(self, report: dict, key: str, version: int) -> int:
        """Keep a report, and return its number. Raises OutboxFull or OSError."""
        if len(self) >= MAX_REPORTS:
            raise OutboxFull
        number = self.last + 1
        kept = {"key": key, "version": version, "report": {**report, "sequence": number}}
        path = _path(self._folder, number)
        atomic_write.write(path, json.dumps(kept).encode(), permissions=0o600)
        self.last, self._files[number] = number, path
        self.versions[key] = version
        return number

    def after(self, number: int, most: int) -> list[int]:
        """The numbers of the next reports to send."""
        return sorted(one for one in self._files if one > number)[:most]

    def report(self, number: int) -> dict | None:
        """The report to send; None if its file is missing or damaged."""
        kept = self._read(number)
        return kept and kept["report"]

    def forget(self, numbers: Iterable[int]) -> None:
        """Delete these reports. Save in the membership first that the room has them."""
        for number in numbers:
            if path := self._files.pop(number, None):
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def numbers_up_to(self, number: int) -> list[int]:
        return [one for one in self._files if one <= number]

    def _read(self, number: int) -> dict | None:
        try:
            kept = json.loads(_path(self._folder, number).read_bytes())
            if isinstance(kept["report"], dict) and isinstance(kept["version"], int):
                return {**kept, "key": str(kept["key"])}
        except (OSError, ValueError, LookupError, TypeError):
            pass
        return None


def folder_of(device: str) -> Path:
    return progress.state_dir() / "room-outbox" / device


def count(device: str) -> int:
    """How many reports wait, read from the disk."""
    return len(_numbers(folder_of(device)))


def delete(device: str) -> None:
    """Delete all reports of a membership that ends."""
    shutil.rmtree(folder_of(device), ignore_errors=True)


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:016}.json"


def _numbers(folder: Path) -> list[int]:
    return [int(one.stem) for one in folder.glob("*.json") if one.stem.isdecimal()]
