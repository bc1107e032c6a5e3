"""Loads the class or function to judge, and puts a consumer behind the lesson's middleware."""

import difflib
import linecache
import sys
import types
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from lessons.workshop.course.diagnoses import recognise
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import read_python
from lessons.workshop.engine.faults.finding import CheckFailed, Place, make_finding, place_of_error
from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.engine.world import STUDENT_PACKAGE


class LoadableTarget(Protocol):
    """The part of lessons.workshop.engine.process.target.Target that load_subject() needs."""

    file: Path
    name: str  # of the class or function in the file
    base: str | None  # the class of channels.consumer that it must subclass
    source: str | None  # replaces the file's text


def load_subject(target: LoadableTarget):
    """Run the target's file and return the class or function to judge. Raises CheckFailed."""
    # Imported here: they load Channels and models, which a list of lessons does not need.
    from lessons.workshop.engine.world.channel_layer import check_layers
    from lessons.workshop.engine.world.signal_receivers import disconnect_student_receivers

    disconnect_student_receivers()
    with check_layers():
        module = load_file(target.file, target.source)
    subject = getattr(module, target.name, None)
    if subject is None:
        raise CheckFailed(_finding_of_missing_name(target, module))
    if target.base:
        _require_base(target, subject)
    return attach_application(subject, module)


def _finding_of_missing_name(target: LoadableTarget, module: types.ModuleType):
    names = [name for name in vars(module) if not name.startswith("_")]
    close = difflib.get_close_matches(target.name, names, n=1)
    detail = f"Looked for {target.name}."
    if close:
        detail += f" The file has {close[0]}: rename it to {target.name}."
    return make_finding("name-missing", Place(str(target.file)), detail=detail)


def _require_base(target: LoadableTarget, subject) -> None:
    from channels import consumer

    sync = isinstance(subject, type) and getattr(subject, "_sync", None)
    if (
        not isinstance(subject, type)
        or not issubclass(subject, getattr(consumer, target.base))
        or sync != (target.base == "SyncConsumer")
    ):
        bases = getattr(subject, "__bases__", ())
        found = f"a subclass of {bases[0].__name__}" if bases else repr(subject)
        detail = f"{target.name} must subclass {target.base}; it is {found}."
        raise CheckFailed(make_finding("wrong-base-class", Place(str(target.file)), detail=detail))


def mistakes_of(lesson: Lesson) -> dict[str, object]:
    """The lesson's mistakes by name: everything in mistakes.py that has a `diagnosis`."""
    module = load_file(lesson.mistakes)
    return {
        name: item
        for name, item in vars(module).items()
        if getattr(item, "__module__", None) == module.__name__ and "diagnosis" in vars(item)
    }


def application_for(consumer_class, lesson: Lesson):
    """The consumer as an ASGI application, behind a route and middleware as in asgi.py.

    If the consumer's file defines `application`, or its class does (in a file with many versions),
    that is used. Otherwise it is the lesson's route and middleware, if there are any. Raises
    CheckFailed if the lesson demands an `application` and the student's file has none.
    """
    own = getattr(consumer_class, "application", None)
    if (
        own is None
        and lesson.application
        and consumer_class.__module__.startswith(f"{STUDENT_PACKAGE}.")
    ):
        file = sys.modules[consumer_class.__module__].__file__
        raise CheckFailed(
            make_finding("name-missing", Place(file), detail=f"Looked for {lesson.application}.")
        )
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


def attach_application(subject, module: types.ModuleType):
    """Returns `subject`, with the `application` of its file as an attribute if there is one."""
    if isinstance(subject, type) and "application" in vars(module):
        subject.application = module.application
    return subject


def load_file(file: Path, source: str | None = None):
    """Run a Python file (or `source` instead) as a module that no other code can import.

    It never uses cached bytecode, and tracebacks show the source. Raises CheckFailed for any error.
    """
    source = _read(file) if source is None else source
    lines = source.splitlines(keepends=True)
    linecache.cache[str(file)] = (len(source), None, lines, str(file))
    name = f"{STUDENT_PACKAGE}.{file.parent.name}.{file.stem}"
    module = sys.modules[name] = types.ModuleType(name)
    module.__file__ = str(file)
    try:
        exec(_compiled(source, str(file)), module.__dict__)
    except SyntaxError as error:
        line = error.lineno if error.filename == str(file) else None
        name = recognise(error)
        name = "syntax-error" if name == "exception" else name
        raise CheckFailed(
            make_finding(name, Place(str(file), line or 0), detail=str(error))
        ) from error
    except KeyboardInterrupt:  # Ctrl-C, where the file runs in the user's own process
        raise
    except BaseException as error:  # such as CancelledError, or the one of pytest.skip()
        raise CheckFailed(_finding_of_import(file, error)) from error
    return module


def reload_module(module: types.ModuleType) -> types.ModuleType:
    """Run the module's source again, as another process does: the two modules share nothing."""
    again = load_file(Path(module.__file__), "".join(linecache.getlines(module.__file__)))
    sys.modules[module.__name__] = module
    return again


def reload_subject(subject):
    """The same class or function, after its file has run again."""
    module = reload_module(sys.modules[subject.__module__])
    return attach_application(getattr(module, subject.__name__), module)


@lru_cache(maxsize=8)
def _compiled(source: str, file: str) -> types.CodeType:
    """Cached, because every check runs the same file again."""
    return compile(source, file, "exec")


def _read(file: Path) -> str:
    try:
        return read_python(file)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        name = "file-missing" if missing else "file-unreadable"
        finding = make_finding(name, Place(str(file)), detail=str(error.strerror))
        raise CheckFailed(finding) from error
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        place = Place(str(file), _line_of_encoding_error(error, file))
        detail = error_text(error)
        raise CheckFailed(make_finding("wrong-encoding", place, detail=detail)) from error


def _line_of_encoding_error(error: Exception, file: Path) -> int:
    """The line of the first byte that cannot be decoded, or the line that names the encoding."""
    if isinstance(error, UnicodeDecodeError):
        return error.object.count(b"\n", 0, error.start) + 1
    first, _, rest = file.read_bytes().partition(b"\n")
    return 2 if b"coding" not in first and b"coding" in rest.partition(b"\n")[0] else 1


def _finding_of_import(file: Path, error: BaseException):
    place = place_of_error(str(file), error) or Place(str(file))
    name = "import-error"
    if isinstance(error, SystemExit):
        name = "calls-exit"
    elif isinstance(error, RecursionError):
        name = "recursion"
    elif isinstance(error, ImportError) and (known := recognise(error)) != "exception":
        name = known
    return make_finding(name, replace(place, handler=""), detail=error_text(error))
