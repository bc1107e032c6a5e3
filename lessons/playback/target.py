"""Targets: what can be judged, which is the exercise, the solution, a mistake or any file."""

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from lessons.core.catalogue import Lesson
from lessons.simulator.finding import CheckFailed, Place, make_finding
from lessons.simulator.student_module import attach_application, load_file


class UnknownTarget(LookupError):
    """A target that is not "exercise", "solution", "mistake:NAME" or an existing file."""


@dataclass(frozen=True)
class Target:
    """A file and the name in it to judge; `source` replaces the file's text for a mutant."""

    title: str
    file: Path
    name: str
    base: str | None = None
    source: str | None = None

    def digest(self) -> str:
        """A digest of the file's text; empty if the file cannot be read."""
        try:
            content = self.file.read_bytes() if self.source is None else self.source.encode()
        except OSError:
            return ""
        return hashlib.sha256(content).hexdigest()

    def load(self):
        """Run the file and return the consumer or function to judge. Raises CheckFailed."""
        # Imported here: they load Channels and models, which a list of lessons does not need.
        from lessons.simulator.channel_layer import check_layers
        from lessons.simulator.signal_receivers import disconnect_student_receivers

        disconnect_student_receivers()
        with check_layers():
            module = load_file(self.file, self.source)
        subject = getattr(module, self.name, None)
        if subject is None:
            raise CheckFailed(self._missing(module))
        self._require_base(subject)
        return attach_application(subject, module)

    def _missing(self, module):
        names = [name for name in vars(module) if not name.startswith("_")]
        close = difflib.get_close_matches(self.name, names, n=1)
        detail = f"Looked for {self.name}."
        if close:
            detail += f" The file has {close[0]}: rename it to {self.name}."
        return make_finding("name-missing", Place(str(self.file)), detail=detail)

    def _require_base(self, subject) -> None:
        if self.base is None:
            return
        from channels import consumer

        sync = isinstance(subject, type) and getattr(subject, "_sync", None)
        if (
            not isinstance(subject, type)
            or not issubclass(subject, getattr(consumer, self.base))
            or sync != (self.base == "SyncConsumer")
        ):
            bases = getattr(subject, "__bases__", ())
            detail = (
                f"{self.name} must subclass {self.base}; "
                f"it is {'a subclass of ' + bases[0].__name__ if bases else repr(subject)}."
            )
            raise CheckFailed(
                make_finding("wrong-base-class", Place(str(self.file)), detail=detail)
            )


def resolve(lesson: Lesson, target: str = "exercise") -> Target:
    """The target of that name. Raises UnknownTarget."""
    name, base = lesson.exercise_name, lesson.exercise_base
    kind, _, mistake = target.partition(":")
    if target == "exercise":
        return Target(target, lesson.exercise, name, base)
    if target == "solution":
        return Target(target, lesson.solution, name, base)
    if kind == "mistake" and mistake:
        if mistake not in mistakes_of(lesson):
            known = ", ".join(mistakes_of(lesson))
            raise UnknownTarget(
                f"Lesson {lesson.number} has no mistake {mistake}. It has: {known}."
            )
        return Target(target, lesson.mistakes, mistake)
    file = Path(target).resolve()
    if not file.is_file():
        raise UnknownTarget(
            f"Unknown target {target!r}: write exercise, solution, mistake:NAME or a path."
        )
    return Target(target, file, name, base)


def mistakes_of(lesson: Lesson) -> dict[str, object]:
    """The lesson's mistakes by name: everything in mistakes.py that has a `diagnosis`."""
    module = load_file(lesson.mistakes)
    return {
        name: item
        for name, item in vars(module).items()
        if getattr(item, "__module__", None) == module.__name__ and "diagnosis" in vars(item)
    }
