"""What an exported test plays with: the code, and how clients reach it.

The worked example is found by path, as the project serves it, because a client of the page may open
another path. The exercise, the solution and a mistake answer on every path.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.conf import settings
from django.urls.resolvers import RoutePattern
from django.utils.module_loading import import_string

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine import subject
from lessons.workshop.engine.recording.python_literal import python_literal
from lessons.workshop.engine.script.steps import Step
from lessons.workshop.page import unguarded
from lessons.workshop.page.export.tested_code import (
    Import,
    TestedCode,
    find_mistake,
    find_tested_code,
    read_tested_file,
)
from lessons.workshop.page.export.tickets import name_tickets, show_tickets

OWN_ORIGIN = "http://localhost"  # the origin of the project's own pages
PROJECT_APPLICATION = "lessons.asgi.websocket_application"
PROJECT_HTTP_APPLICATION = "lessons.asgi.unrecorded"
PROJECT_ROUTES = "lessons.asgi.websocket_urlpatterns"
PROJECT_HTTP_ROUTES = "lessons.asgi.http_urlpatterns"
AUTH_STACK = "channels.auth.AuthMiddlewareStack"

_READS_LOGIN = re.compile(r"""scope\[["'](user|session)["']\]""")


@dataclass(frozen=True)
class Subject:
    """The code that a test plays with.

    `played` and `played_steps` are for play_in_turns(), `steps` for the test. `definitions` are
    lines that follow the code, and `imports` are for these lines. `issue` is the function that
    issues tickets, if the lesson has tickets, and `sends_ticket_in_header` says where a client
    shows them.
    """

    title: str
    code: TestedCode
    played: str
    played_steps: list[Step]
    steps: list[Step]
    definitions: list[str]
    imports: frozenset[Import]
    application_of: Callable[[Step], str]
    issue: Import | None = None
    sends_ticket_in_header: bool = False


def target_subject(lesson: Lesson, steps: list[Step], target: subject.Subject) -> Subject:
    """The exercise, the solution or a mistake. Raises OSError, ValueError or SyntaxError."""
    is_mistake = target.file == lesson.mistakes
    code = find_mistake(lesson, target.name) if is_mistake else read_tested_file(target)
    imports: set[Import] = set()
    definitions = []
    if code.defines("ready"):
        definitions.append("ready()")
    elif "def ready(" in code.body:
        definitions.append(f"{target.name}.ready()")
    if code.defines("application"):
        application = "application"
    elif is_mistake and "cls.application =" in code.body:
        application = f"{target.name}.application"
    else:
        application = _application(target.name, lesson.route, lesson.stack, imports)
        if application != f"{target.name}.as_asgi()":
            definitions.append(f"application = {application}")
            application = "application"
    issues_tickets = code.defines("issue")
    steps = show_tickets(steps) if issues_tickets else steps
    return Subject(
        f"the mistake {target.name}" if is_mistake else f"{target.name} of {code.place}",
        code,
        str(target.file) if target.title == "exercise" else target.title,
        steps,
        steps,
        definitions,
        frozenset(imports),
        lambda step: application,
        sends_ticket_in_header=issues_tickets,
    )


def worked_example(lesson: Lesson, steps: list[Step]) -> Subject:
    """The worked example, or the consumers on the paths that the clients open."""
    steps = name_tickets(lesson, steps)
    has_origin = any("origin" in step.arguments for step in steps)
    paths = [step.arguments.get("path", lesson.path) for step in steps if _begins(step)]
    mounts = {path: _mount_at(lesson, path) for path in paths}
    is_own = not has_origin and {mount.consumer for mount in mounts.values()} == {lesson.demo}
    consumers = list(dict.fromkeys(it.consumer for it in mounts.values() if it.consumer))
    imports: set[Import] = set()
    definitions: dict[str, str] = {}  # by expression: the variable
    names = {}
    for path, mount in mounts.items():
        expression = _mounted(mount, imports)
        is_guarded = has_origin and path != f"/{unguarded.PATH}"
        if is_guarded:
            imports.add(Import("channels.security.websocket", "OriginValidator"))
            definitions[python_literal(settings.LOOPBACK)] = "ALLOWED_ORIGINS"
            expression = f"OriginValidator({expression}, ALLOWED_ORIGINS)"
        names[path] = expression
        if not re.fullmatch(r"\w+\.as_asgi\(\)", expression):
            taken = sum(name.startswith("application") for name in definitions.values())
            number = f"_{taken + 1}" if taken else ""
            name = f"application{number}" if is_guarded or not has_origin else "unguarded"
            names[path] = definitions.setdefault(expression, name)
    has_requests = any(step.kind.is_request for step in steps)
    project = PROJECT_HTTP_APPLICATION if has_requests else PROJECT_APPLICATION
    # The project's application checks the origin, so there each client needs one.
    with_origins = [_with_origin(step) for step in steps]
    return Subject(
        " and ".join(name.rpartition(".")[2] for name in consumers) or "the project",
        find_tested_code(consumers),
        lesson.demo if is_own else project,
        steps if is_own else with_origins,
        with_origins if has_origin else steps,
        [f"{name} = {expression}" for expression, name in definitions.items()],
        frozenset(imports),
        lambda step: names[step.arguments.get("path", lesson.path)],
        Import(lesson.stack_module, "issue") if lesson.stack_module else None,
    )


@dataclass(frozen=True)
class _Mount:
    """A consumer, by qualified name, with its URL pattern and its middleware if it needs them."""

    consumer: str | None = None
    route: str | None = None
    stack: str | None = None


def _mount_at(lesson: Lesson, path: str) -> _Mount:
    own = RoutePattern(lesson.route or lesson.path.removeprefix("/"), is_endpoint=True)
    if own.match(path.removeprefix("/")):
        return _Mount(lesson.demo, lesson.route, lesson.stack)
    if path == f"/{unguarded.PATH}":
        return _Mount(_qualified_name(unguarded.Inbox), None, AUTH_STACK)
    for route in (*import_string(PROJECT_ROUTES), *import_string(PROJECT_HTTP_ROUTES)):
        if route.pattern.match(path.removeprefix("/")):
            inner = getattr(route.callback, "inner", route.callback)  # without its middleware
            name = _qualified_name(inner.consumer_class)
            if name == lesson.demo:
                return _Mount(name, lesson.route, lesson.stack)
            pattern = str(route.pattern) if "<" in str(route.pattern) else None
            reads_login = _READS_LOGIN.search(find_tested_code([name]).body)
            return _Mount(name, pattern, AUTH_STACK if reads_login else None)
    return _Mount()


def _mounted(mount: _Mount, imports: set[Import]) -> str:
    if mount.consumer is None:
        imports.add(Import("channels.routing", "URLRouter"))
        return "URLRouter([])"  # as the project: it raises ValueError, because it has no such path
    return _application(_last(mount.consumer), mount.route, mount.stack, imports)


def _application(consumer: str, route: str | None, stack: str | None, imports: set[Import]) -> str:
    """The consumer's application as an expression; adds the imports that this needs."""
    expression = f"{consumer}.as_asgi()"
    if route:
        imports |= {Import("channels.routing", "URLRouter"), Import("django.urls", "path")}
        expression = f"URLRouter([path({python_literal(route)}, {expression})])"
    if stack:
        imports.add(Import.of(stack))
        expression = f"{_last(stack)}({expression})"
    return expression


def _begins(step: Step) -> bool:
    return step.kind.begins


def _with_origin(step: Step) -> Step:
    if step.action != "connect":
        return step
    return replace(step, arguments={"origin": OWN_ORIGIN, **step.arguments})


def _qualified_name(item: type) -> str:
    return f"{item.__module__}.{item.__qualname__}"


def _last(name: str) -> str:
    return name.rpartition(".")[2]
