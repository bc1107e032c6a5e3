"""What is judged: the exercise, the solution, one of the mistakes, or any file."""

import difflib
import hashlib
import linecache
import sys
import types
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from lessons.catalogue import Lesson
from lessons.checking.diagnoses import recognise
from lessons.checking.finding import Place, Red, find, place_of_error

LOADED = "lessons_loaded"  # the package that what is judged appears to be in


class UnknownTarget(LookupError):
    """A target that is not "exercise", "solution", "mistake:NAME" or an existing file."""


@dataclass(frozen=True)
class Target:
    """A file, the name in it to judge, and, for a mutant, the source to take for the file's."""

    title: str
    file: Path
    name: str
    base: str | None = None
    source: str | None = None

    def digest(self) -> str:
        """Tells one version of the file from another; empty where there is none to be read."""
        try:
            content = self.file.read_bytes() if self.source is None else self.source.encode()
        except OSError:
            return ""
        return hashlib.sha256(content).hexdigest()

    def load(self):
        """Run the file and return what is to be judged. Raises Red where that cannot be."""
        # They bring Channels and models: a list of lessons needs neither.
        from lessons.checking.layer import layers_of_checks
        from lessons.checking.signals import forget_loaded

        forget_loaded()
        with layers_of_checks():
            module = load_file(self.file, self.source)
        subject = getattr(module, self.name, None)
        if subject is None:
            raise Red(self._missing(module))
        self._require_base(subject)
        return _with_application(subject, module)

    def _missing(self, module):
        names = [name for name in vars(module) if not name.startswith("_")]
        close = difflib.get_close_matches(self.name, names, n=1)
        detail = f"Looked for {self.name}."
        if close:
            detail += f" There is {close[0]}: give it the name {self.name} again."
        return find("name-missing", Place(str(self.file)), detail=detail)

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
            raise Red(find("wrong-base-class", Place(str(self.file)), detail=detail))


def served(consumer_class, lesson: Lesson):
    """The consumer as an ASGI application, behind what stands before it in asgi.py.

    That is the `application` in its own file, or on its class where a file holds many versions;
    else the lesson's route and middleware, where it has any. Raises Red where the lesson demands
    the former.
    """
    own = getattr(consumer_class, "application", None)
    if own is None and lesson.application and consumer_class.__module__.startswith(f"{LOADED}."):
        file = sys.modules[consumer_class.__module__].__file__
        raise Red(find("name-missing", Place(file), detail=f"Looked for {lesson.application}."))
    if own is None:
        own = _routed(consumer_class, lesson)

    async def application(scope, receive, send):
        return await own(scope, receive, send)

    application.consumer_class = consumer_class
    application.outermost = own
    return application


def _routed(consumer_class, lesson: Lesson):
    from channels.routing import URLRouter
    from django.urls import path
    from django.utils.module_loading import import_string

    application = consumer_class.as_asgi()
    if lesson.route:
        application = URLRouter([path(lesson.route, application)])
    return import_string(lesson.stack)(application) if lesson.stack else application


def _with_application(subject, module: types.ModuleType):
    """`subject`, and on it the `application` that its file has put it behind, if any."""
    if isinstance(subject, type) and "application" in vars(module):
        subject.application = module.application
    return subject


def load_file(file: Path, source: str | None = None):
    """Run a Python file (or `source` in its stead) as a module that nothing else can import.

    Never from a cache, and known to tracebacks. Raises Red for whatever goes wrong.
    """
    source = _read(file) if source is None else source
    lines = source.splitlines(keepends=True)
    linecache.cache[str(file)] = (len(source), None, lines, str(file))
    name = f"{LOADED}.{file.parent.name}.{file.stem}"
    module = sys.modules[name] = types.ModuleType(name)
    module.__file__ = str(file)
    try:
        exec(_compiled(source, str(file)), module.__dict__)
    except SyntaxError as error:
        line = error.lineno if error.filename == str(file) else None
        name = recognise(error)
        name = "syntax-error" if name == "exception" else name
        raise Red(find(name, Place(str(file), line or 0), detail=str(error))) from error
    except (Exception, SystemExit) as error:
        raise Red(_import_failed(file, error)) from error
    return module


def load_again(module: types.ModuleType) -> types.ModuleType:
    """The same source once more, as another process has it: the two share nothing."""
    again = load_file(Path(module.__file__), "".join(linecache.getlines(module.__file__)))
    sys.modules[module.__name__] = module
    return again


def loaded_anew(subject):
    """The same class from its file run once more."""
    module = load_again(sys.modules[subject.__module__])
    return _with_application(getattr(module, subject.__name__), module)


@lru_cache(maxsize=8)
def _compiled(source: str, file: str) -> types.CodeType:
    """Kept, since every check runs the same file anew."""
    return compile(source, file, "exec")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Red(find("import-error", Place(str(file)), detail=str(error))) from error


def _import_failed(file: Path, error: BaseException):
    place = place_of_error(str(file), error) or Place(str(file))
    name = "import-error"
    if isinstance(error, SystemExit):
        name = "exits"
    elif isinstance(error, RecursionError):
        name = "recursion"
    return find(name, replace(place, handler=""), detail=f"{type(error).__name__}: {error}")


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
            f"No target {target!r}: write exercise, solution, mistake:NAME or the path of a file."
        )
    return Target(target, file, name, base)


def mistakes_of(lesson: Lesson) -> dict[str, object]:
    """The lesson's wrong versions by name: whatever in mistakes.py names its diagnosis."""
    module = load_file(lesson.mistakes)
    return {
        name: item
        for name, item in vars(module).items()
        if getattr(item, "__module__", None) == module.__name__ and "diagnosis" in vars(item)
    }
