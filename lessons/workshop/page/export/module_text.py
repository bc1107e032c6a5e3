"""Puts the parts of an exported test together: what it needs, settings, the code, the test."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.page.export.step_lines import INDENT, WIDTH
from lessons.workshop.page.export.subjects import Subject
from lessons.workshop.page.export.tested_code import Import, project_apps

# Packages that can be imported after django.setup() only, because they import models.
_WITH_MODELS = ("channels.auth", "channels.sessions", "django.contrib")
_LIBRARY_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
_LAYERS = '{"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}'
_DATABASES = '{"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}'

_CONFIGURE = """\
# Outside of a Django project, the test needs no more than these settings.
if not (settings.configured or os.environ.get("DJANGO_SETTINGS_MODULE")):
    settings.configure({settings})
django.setup()"""
_DATABASE = '''\
if "pytest_django" not in sys.modules:  # that plugin has this fixture

    @pytest.fixture
    def django_db_reset_sequences():
        """Create empty tables, and delete them after the test."""
        created = setup_databases(verbosity=0, interactive=False)
        yield
        teardown_databases(created, verbosity=0)'''
_LOG_IN = '''\
async def log_in(name, **rights):
    """Return the headers of a new browser in which this user is logged in."""
    user, _ = await User.objects.aget_or_create(username=name, defaults=rights)
    browser = AsyncClient()
    await browser.aforce_login(user)
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]'''
_TICKET = '''\
async def ticket_for(name):
    """Return a new ticket for this user."""
    user, _ = await User.objects.aget_or_create(username=name)
    return await sync_to_async(issue)(user)'''
_AFTER_SETUP = "# These import models, so they come after the setup."
_TIMEOUT = "TIMEOUT = {:g}  # seconds; only a test that fails waits so long"
_TEST = """\
def test_conversation({argument}):
    async def conversation():
{lines}

    async_to_sync(conversation)()"""
# The module imports those of these that it uses.
_KNOWN = {
    Import("asgiref.sync", "async_to_sync"),
    Import("asgiref.sync", "sync_to_async"),
    Import("channels.testing", "HttpCommunicator"),
    Import("channels.testing", "WebsocketCommunicator"),
    Import("django.conf", "settings"),
    Import("django.contrib.auth.models", "User"),
    Import("django.test", "AsyncClient"),
    Import("django.test.utils", "setup_databases"),
    Import("django.test.utils", "teardown_databases"),
    Import("django"),
    Import("os"),
    Import("pytest"),
    Import("re"),
    Import("sys"),
}


@dataclass(frozen=True)
class ModuleText:
    """All that the text of the module depends on; `lines` are those of the conversation."""

    lesson: Lesson
    file_name: str
    subject: Subject
    lines: list[str]
    row_models: frozenset[Import]
    logs_in: bool
    issues_tickets: bool
    needs_database: bool
    timeout: float

    def text(self) -> str:
        code, head, tail = self.subject.code, self._configuration(), self._functions()
        imports = self._imports(head + tail)
        future = {one for one in imports if one.module == "__future__"}
        late = {one for one in imports if _is_with_models(one.module)}
        constants = [*self.subject.definitions, _TIMEOUT.format(self.timeout)]
        parts = [
            self._docstring(),
            _import_lines(future),
            _import_lines(imports - future - late),
            head,
            f"{_AFTER_SETUP}\n{_import_lines(late)}" if late else "",
            f"# The file {code.place}" if code.place else "",
            _as_block(code.body),
            _as_block("\n".join(constants), is_after_block=True),
            _as_block(tail),
        ]
        return "\n\n".join(filter(None, parts)) + "\n"

    def _docstring(self) -> str:
        lines = [
            f"Lesson {self.lesson.number}, {self.lesson.title}: a conversation with "
            f"{self.subject.title}.",
            "",
            'Needs: pip install "channels[daphne]" pytest',
        ]
        if self.apps:
            folders = " and ".join(f"{app}/" for app in self.apps)
            lines.append(f"Copy beside this file, from the course: {folders}")
        lines.append(f"Run:   python3 -m pytest {self.file_name}")
        return '"""' + "\n".join(lines) + '\n"""'

    @property
    def apps(self) -> list[str]:
        """The apps of this project that the module imports."""
        return sorted(project_apps(self._modules))

    @property
    def _modules(self) -> set[str]:
        return {*self.subject.code.modules, *(one.module for one in self._own_imports)}

    @property
    def _own_imports(self) -> set[Import]:
        found = self.subject.code.imports | self.subject.imports | self.row_models
        issue = self.subject.issue
        return {*found, issue} if self.issues_tickets and issue else {*found}

    def _imports(self, text: str) -> set[Import]:
        used = {one for one in _KNOWN if re.search(rf"\b{one.bound_name}\b", text)}
        return used | self._own_imports

    def _configuration(self) -> str:
        has_models = self.needs_database or any(map(_is_with_models, self._modules))
        needed = []
        if has_models:
            apps = [*_LIBRARY_APPS, *self.apps]
            needed.append("INSTALLED_APPS=[\n" + "".join(f'    "{app}",\n' for app in apps) + "]")
            needed.append(f"DATABASES={_DATABASES}")
            needed.append('SECRET_KEY="for this test"')
        if "channel_layer" in self.subject.code.body or self.apps:
            needed.append(f"CHANNEL_LAYERS={_LAYERS}")
        lines = "".join(f"{line},\n" for line in needed)
        return _CONFIGURE.format(settings=f"\n{_indented(lines)}    " if needed else "")

    def _functions(self) -> str:
        test = _TEST.format(
            argument="django_db_reset_sequences" if self.needs_database else "",
            lines=_indented("\n".join(self.lines)),
        )
        parts = [
            _DATABASE if self.needs_database else "",
            _LOG_IN if self.logs_in else "",
            _TICKET if self.issues_tickets else "",
            test,
        ]
        return "\n\n\n".join(filter(None, parts))


def _as_block(text: str, is_after_block=False) -> str:
    """The text, with one more blank line before a class or function, and after it."""
    is_block = re.match(r"@|(class|def|async def) ", text)
    return f"\n{text}" if is_block or is_after_block else text


def _indented(text: str) -> str:
    return re.sub(r"^(?=.)", INDENT, text, flags=re.MULTILINE)


def _is_with_models(module: str) -> bool:
    return module.startswith(_WITH_MODELS) or bool(project_apps([module]))


def _import_lines(imports: Iterable[Import]) -> str:
    """The imports as ruff sorts them: the standard library, libraries, this project."""
    groups: dict[int, list[Import]] = defaultdict(list)
    for one in imports:
        top = one.module.partition(".")[0]
        is_own = bool(project_apps([top]))
        groups[0 if top in sys.stdlib_module_names else 1 + is_own].append(one)
    return "\n\n".join(_group_lines(groups[number]) for number in sorted(groups))


def _group_lines(imports: list[Import]) -> str:
    whole = sorted(one for one in imports if not one.name)
    lines = [f"import {one.module}" + (f" as {one.alias}" if one.alias else "") for one in whole]
    for module in sorted({one.module for one in imports if one.name}):
        found = sorted((one for one in imports if one.module == module and one.name), key=_by_kind)
        names = [one.name + (f" as {one.alias}" if one.alias else "") for one in found]
        line = f"from {module} import {', '.join(names)}"
        if len(line) > WIDTH:
            line = f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
        lines.append(line)
    return "\n".join(lines)


def _by_kind(one: Import) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    name = one.name
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name
