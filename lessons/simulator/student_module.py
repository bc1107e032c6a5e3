"""Imports a student's file, and puts its consumer behind the middleware of the lesson."""

import linecache
import sys
import types
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from lessons.core.catalogue import Lesson
from lessons.core.diagnoses import recognise
from lessons.simulator.finding import CheckFailed, Place, make_finding, place_of_error

STUDENT_PACKAGE = "lessons_loaded"  # name of the package that students' modules appear to be in


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
    except (Exception, SystemExit) as error:
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
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckFailed(
            make_finding("import-error", Place(str(file)), detail=str(error))
        ) from error


def _finding_of_import(file: Path, error: BaseException):
    place = place_of_error(str(file), error) or Place(str(file))
    name = "import-error"
    if isinstance(error, SystemExit):
        name = "calls-exit"
    elif isinstance(error, RecursionError):
        name = "recursion"
    return make_finding(name, replace(place, handler=""), detail=f"{type(error).__name__}: {error}")
