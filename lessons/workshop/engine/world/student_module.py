"""Loads the class or function to judge, and puts a consumer behind its route and middleware."""

import difflib
import linecache
import os
import sys
import types
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from channels import consumer
from channels.generic import websocket
from channels.routing import URLRouter
from django.urls import path
from django.utils.module_loading import import_string

from ..faults.finding import CheckFailed, Place, SourceFile, make_finding
from ..recording.events import error_text
from ..scheduling.hashes import number_hashes_of
from ..subject import Subject, read_python
from . import STUDENT_PACKAGE, process, process_numbers
from .channel_layer import check_layers
from .signal_receivers import disconnect_student_receivers


def load_subject(subject: Subject):
    """Run the subject's file and return the class or function to judge. Raises CheckFailed."""
    if subject.module:
        return getattr(import_module(subject.module), subject.name)
    disconnect_student_receivers()
    with check_layers():
        module = load_file(subject.file, subject.source)
    number_hashes_of(module)
    loaded = getattr(module, subject.name, None)
    if loaded is None:
        detail = f"Looked for {subject.name}."
        names = [name for name in vars(module) if not name.startswith("_")]
        for close in difflib.get_close_matches(subject.name, names, n=1):
            detail += f" The file has {close}: rename it to {subject.name}."
        raise _failure("name-missing", subject.file, detail)
    if subject.base and not _is_subclass(loaded, subject.base):
        bases = getattr(loaded, "__bases__", ())
        found = f"a subclass of {bases[0].__name__}" if bases else repr(loaded)
        detail = f"{subject.name} must subclass {subject.base}; it is {found}."
        raise _failure("wrong-base-class", subject.file, detail)
    return _with_application(loaded, module)


def _is_subclass(loaded, base: str) -> bool:
    """Whether it is a subclass of this raw or generic class. Each sync one is async, too."""
    wanted = getattr(consumer, base, None) or getattr(websocket, base)
    is_subclass = isinstance(loaded, type) and issubclass(loaded, wanted)
    return is_subclass and loaded._sync == wanted._sync


def application_for(consumer_class, subject: Subject):
    """The consumer as an ASGI application, behind a route and middleware as in asgi.py.

    If the consumer's file defines `application`, or its class does (in a file with many versions),
    that is used. Otherwise it is the subject's route and middleware, if there are any. Raises
    CheckFailed if the subject must have an `application` and its file has none.
    """
    if not isinstance(consumer_class, type):
        return consumer_class  # a function is an application itself
    own = getattr(consumer_class, "application", None)
    is_students = consumer_class.__module__.startswith(f"{STUDENT_PACKAGE}.")
    if own is None and subject.application and is_students:
        file = sys.modules[consumer_class.__module__].__file__
        raise _failure("name-missing", file, f"Looked for {subject.application}.")
    if own is None:
        own = consumer_class.as_asgi()
        own = URLRouter([path(subject.route, own)]) if subject.route else own
        own = import_string(subject.stack)(own) if subject.stack else own

    async def application(scope, receive, send):
        return await own(scope, receive, send)

    application.consumer_class = consumer_class
    application.outermost = own
    return application


def _with_application(loaded, module: types.ModuleType):
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
        raise _failure("syntax-error", file, str(error), line, error_text(error)) from error
    except KeyboardInterrupt:  # Ctrl-C, where the file runs in the user's own process
        raise
    except BaseException as error:  # such as CancelledError, or the one of pytest.skip()
        codes = {SystemExit: "calls-exit", RecursionError: "recursion"}
        code = next((codes[kind] for kind in codes if isinstance(error, kind)), "import-error")
        place, text = SourceFile(str(file)).place_of_error(error), error_text(error)
        raised = text if isinstance(error, ImportError) else ""
        raise _failure(code, file, text, place and place.line, raised) from error
    return module


_usual_getpid = os.getpid
PATCHES = ((os, "getpid", lambda: _usual_getpid() + process.get()),)


def reload_module(module: types.ModuleType) -> types.ModuleType:
    """Run the module's source again, as another process does: the two modules share nothing."""
    token = process.set(process.get() or next(process_numbers))
    try:
        again = load_file(Path(module.__file__), "".join(linecache.getlines(module.__file__)))
    finally:
        process.reset(token)
    number_hashes_of(again)
    sys.modules[module.__name__] = module
    return again


def reload_subject(loaded):
    """The same class or function, after its file has run again."""
    module = reload_module(sys.modules[loaded.__module__])
    return _with_application(getattr(module, loaded.__name__), module)


@lru_cache(maxsize=8)
def _compiled(source: str, file: str) -> types.CodeType:
    """Cached, because every check runs the same file again."""
    return compile(source, file, "exec")


def _read(file: Path) -> str:
    try:
        return read_python(file)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        code = "file-missing" if missing else "file-unreadable"
        raise _failure(code, file, str(error.strerror)) from error
    except (UnicodeDecodeError, SyntaxError, LookupError) as error:
        line = _line_of_encoding_error(error, file)
        raise _failure("wrong-encoding", file, error_text(error), line) from error


def _line_of_encoding_error(error: Exception, file: Path) -> int:
    """The line of the first byte that cannot be decoded, or the line that names the encoding."""
    if isinstance(error, UnicodeDecodeError):
        return error.object.count(b"\n", 0, error.start) + 1
    first, _, rest = file.read_bytes().partition(b"\n")
    return 2 if b"coding" not in first and b"coding" in rest.partition(b"\n")[0] else 1


def _failure(code: str, file: Path | str, detail: str, line=None, raised="") -> CheckFailed:
    place = Place(str(file), line or 0)
    return CheckFailed(make_finding(code, place, detail=detail, raised=raised))
