"""Loads the class or function to judge, and puts a consumer behind its route and middleware."""

import difflib
import linecache
import sys
import types
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from lessons.workshop.engine.faults.finding import CheckFailed, Place, make_finding, place_of_error
from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.engine.subject import Subject, read_python
from lessons.workshop.engine.world import STUDENT_PACKAGE


def load_subject(subject: Subject):
    """Run the subject's file and return the class or function to judge. Raises CheckFailed."""
    if subject.module:
        return getattr(import_module(subject.module), subject.name)
    # Imported here: they load Channels and models, which a list of lessons does not need.
    from lessons.workshop.engine.world.channel_layer import check_layers
    from lessons.workshop.engine.world.signal_receivers import disconnect_student_receivers

    disconnect_student_receivers()
    with check_layers():
        module = load_file(subject.file, subject.source)
    loaded = getattr(module, subject.name, None)
    if loaded is None:
        raise CheckFailed(_finding_of_missing_name(subject, module))
    if subject.base:
        _require_base(subject, loaded)
    return attach_application(loaded, module)


def _finding_of_missing_name(subject: Subject, module: types.ModuleType):
    names = [name for name in vars(module) if not name.startswith("_")]
    close = difflib.get_close_matches(subject.name, names, n=1)
    detail = f"Looked for {subject.name}."
    if close:
        detail += f" The file has {close[0]}: rename it to {subject.name}."
    return make_finding("name-missing", Place(str(subject.file)), detail=detail)


def _require_base(subject: Subject, loaded) -> None:
    from channels import consumer

    sync = isinstance(loaded, type) and getattr(loaded, "_sync", None)
    if (
        not isinstance(loaded, type)
        or not issubclass(loaded, getattr(consumer, subject.base))
        or sync != (subject.base == "SyncConsumer")
    ):
        bases = getattr(loaded, "__bases__", ())
        found = f"a subclass of {bases[0].__name__}" if bases else repr(loaded)
        detail = f"{subject.name} must subclass {subject.base}; it is {found}."
        raise CheckFailed(make_finding("wrong-base-class", Place(str(subject.file)), detail=detail))


def application_for(consumer_class, subject: Subject):
    """The consumer as an ASGI application, behind a route and middleware as in asgi.py.

    If the consumer's file defines `application`, or its class does (in a file with many versions),
    that is used. Otherwise it is the subject's route and middleware, if there are any. Raises
    CheckFailed if the subject must have an `application` and its file has none.
    """
    own = getattr(consumer_class, "application", None)
    if (
        own is None
        and subject.application
        and consumer_class.__module__.startswith(f"{STUDENT_PACKAGE}.")
    ):
        file = sys.modules[consumer_class.__module__].__file__
        raise CheckFailed(
            make_finding("name-missing", Place(file), detail=f"Looked for {subject.application}.")
        )
    if own is None:
        own = _routed(consumer_class, subject)

    async def application(scope, receive, send):
        return await own(scope, receive, send)

    application.consumer_class = consumer_class
    application.outermost = own
    return application


def _routed(consumer_class, subject: Subject):
    from channels.routing import URLRouter
    from django.urls import path
    from django.utils.module_loading import import_string

    application = consumer_class.as_asgi()
    if subject.route:
        application = URLRouter([path(subject.route, application)])
    return import_string(subject.stack)(application) if subject.stack else application


def attach_application(loaded, module: types.ModuleType):
    """Returns `loaded`, with the `application` of its file as an attribute if there is one."""
    if isinstance(loaded, type) and "application" in vars(module):
        loaded.application = module.application
    return loaded


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
        place, text = Place(str(file), line or 0), str(error)
        finding = make_finding("syntax-error", place, detail=text, raised=error_text(error))
        raise CheckFailed(finding) from error
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


def reload_subject(loaded):
    """The same class or function, after its file has run again."""
    module = reload_module(sys.modules[loaded.__module__])
    return attach_application(getattr(module, loaded.__name__), module)


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
    raised = error_text(error) if isinstance(error, ImportError) else ""
    return make_finding(name, replace(place, handler=""), detail=error_text(error), raised=raised)
