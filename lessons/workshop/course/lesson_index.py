"""The lessons. No other module knows how a lesson's folder is laid out."""

import difflib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parents[3]
# The beginning of a command that a student can paste into a terminal of this system.
MANAGE = "py manage.py" if os.name == "nt" else "python3 manage.py"
COURSE_DIR = PROJECT_DIR / "lessons"

# The accounts that a workshop creates at its first start: see accounts.py.
ACCOUNTS = {"student": {}, "instructor": {"is_staff": True, "is_superuser": True}}

FILES = (
    "lesson.md",
    "teach.md",
    "predict.toml",
    "exercise.py",
    "solution.py",
    "mistakes.py",
    "check.py",
    "hints.md",
)
MAX_CLIENTS = 4  # of a lesson's page
# The parts of the course. By default a lesson belongs to the part of its worked example's app.
PARTS = {
    "sync_demo": "The events of a connection",
    "async_demo": "Consumers that await",
    "layers_demo": "Messages between connections",
    "auth_demo": "Users and other sites",
    "db_demo": "The database",
    "wild": "In the wild",
}
UNFINISHED = "Unfinished lessons"  # the heading of lessons that lack a part of their front matter
ANONYMOUS = "anonymous"
REQUEST = "request"  # a client of a lesson's page that sends HTTP requests
_CLIENT_FIELD = re.compile(
    rf"(?P<account>this browser|{REQUEST}|{ANONYMOUS}|{'|'.join(ACCOUNTS)})"
    r"(?: from (?P<origin>https?://\S+))?(?: on (?P<server>\d))?"
)
_EXERCISE_FIELD = re.compile(r"(?P<name>\w+)(?:\((?P<base>\w+)\))?\Z")


class UnknownLesson(LookupError):
    """No lesson has this number or slug; the message lists all lessons."""


class IncompleteLesson(ValueError):
    """A lesson's file is incomplete; the message names the file and what it must hold."""


@dataclass(frozen=True)
class Client:
    """A client on a lesson's page. None is the identity or origin of the browser itself."""

    account: str | None = None
    origin: str | None = None
    server: int = 1  # which web server of `manage.py cluster`
    sends_requests: bool = False  # HTTP, beside clients with a WebSocket


def _file(name: str) -> property:
    return property(lambda lesson: lesson.path_to(name))


def _field(name: str, *default) -> property:
    """A field of the front matter. Without a default, a lesson must have it."""

    def value(lesson: "Lesson"):
        return lesson._fields.get(name, *default) if default else lesson._required_field(name)

    return property(value)


@dataclass(frozen=True)
class Lesson:
    """One folder of the course: `03_stop` is number 3, slug `stop`, key `03-stop`."""

    folder: Path

    # The student answers these questions before a conversation is played.
    predictions = _file("predict.toml")
    # The course's own exercise, which only authors edit; see also `exercise`.
    original = _file("exercise.py")
    solution = _file("solution.py")
    mistakes = _file("mistakes.py")
    check = _file("check.py")
    # One page for the instructor: plan, what to show, questions, usual mistakes.
    teach_page = _file("teach.md")

    # Fields of the front matter. The last group is None where a lesson does not have the field.
    goal = _field("goal")  # what a student can do after the lesson, in one sentence
    demo = _field("demo")  # qualified name of the worked example: `sync_demo.consumers.Echo`
    path = _field("path")  # the URL path of the worked example; checks connect to it, too
    worker = _field("worker", None)  # qualified name of the consumer that `runworker` runs
    route = _field("route", None)  # the URL pattern of `path`, for a consumer that reads its parts
    stack = _field("stack", None)  # qualified name of the middleware around consumers in checks
    application = _field("application", None)  # that the exercise must define beside its class

    @property
    def number(self) -> int:
        return int(self.folder.name.partition("_")[0])

    @property
    def slug(self) -> str:
        return self.folder.name.partition("_")[2]

    @property
    def key(self) -> str:
        return self.folder.name.replace("_", "-")

    def path_to(self, file_name: str) -> Path:
        return self.folder / file_name

    @property
    def exercise(self) -> Path:
        """The student's copy of `original`, the file that is edited and judged."""
        return PROJECT_DIR / "work" / f"{self.folder.name}.py"

    @property
    def tests(self) -> Path:
        """The pytest module that proves the lesson's worked example."""
        return PROJECT_DIR / "tests" / self.app / f"test_{self.folder.name}.py"

    @property
    def all_tests(self) -> tuple[Path, ...]:
        """`tests`, modules beside it (`tests: hardened_chat chat_load`), and the strict tests."""
        more = self._fields.get("tests", "").split()
        of_app, of_all = self.tests.parent, self.tests.parents[1]
        strict = sorted([*of_app.glob("strict/test_*.py"), *of_all.glob("strict/test_*.py")])
        return (self.tests, *(self.tests.with_name(f"test_{name}.py") for name in more), *strict)

    @cached_property
    def _fields_and_text(self) -> tuple[dict[str, str], str]:
        source = self.path_to("lesson.md")
        text = source.read_text(encoding="utf-8") if source.is_file() else ""
        begin, *rest = text.split("---\n", 2)
        if begin or len(rest) != 2:
            raise IncompleteLesson(f"{source} must begin with a front matter: demo, path, exercise")
        lines = (line.partition(":") for line in rest[0].splitlines() if line.strip())
        return {key.strip(): value.strip() for key, _, value in lines}, rest[1].strip()

    @property
    def _fields(self) -> dict[str, str]:
        return self._fields_and_text[0]

    def _required_field(self, name: str) -> str:
        if name not in self._fields:
            raise IncompleteLesson(f"{self.path_to('lesson.md')}: the front matter lacks `{name}:`")
        return self._fields[name]

    @property
    def text(self) -> str:
        """The lesson's Markdown with its title and without its front matter."""
        return self._fields_and_text[1]

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0].removeprefix("# ").strip()

    @property
    def minutes(self) -> int:
        """The time that the lesson takes."""
        field = self._required_field("minutes")
        if not field.isdecimal():
            raise IncompleteLesson(f"{self.path_to('lesson.md')}: write `minutes: 15`")
        return int(field)

    @property
    def needs(self) -> tuple["Lesson", ...]:
        """The earlier lessons whose ideas this lesson uses: `needs: accept frames`."""
        try:
            return tuple(map(find, self._fields.get("needs", "").split()))
        except UnknownLesson as error:
            raise IncompleteLesson(f"{self.path_to('lesson.md')}: `needs:` {error}") from None

    @property
    def app(self) -> str:
        return self.demo.partition(".")[0]

    @property
    def part(self) -> str:
        """The part of the course, a key of PARTS: `part: wild`. The default is the app."""
        return self._fields.get("part", self.app)

    @property
    def part_title(self) -> str:
        return PARTS.get(self.part, self.part)

    @property
    def rows(self) -> tuple[str, ...]:
        """Steps that save rows before the conversation: `rows: auth.Group {"name": "a"} | ...`."""
        rows = self._fields.get("rows", "").split(" | ")
        return tuple(f"row {row.strip()}" for row in rows if row.strip())

    @property
    def outside(self) -> tuple[str, ...]:
        """Steps that the page offers while it plays the exercise: `outside: issue student | ...`.

        They are steps that no client takes; see lessons/workshop/engine/script/steps.py.
        """
        return tuple(filter(None, map(str.strip, self._fields.get("outside", "").split(" | "))))

    @property
    def clients(self) -> tuple[Client, ...]:
        """The clients that the page begins with: a number (`clients: 2`), by default one.

        Or their identities: `clients: this browser, anonymous on 2, student from http://a.test`.
        A client `request` sends HTTP requests; the first client has a WebSocket.
        """
        field = self._fields.get("clients", "1")
        if field.isdecimal() and 1 <= int(field) <= MAX_CLIENTS:
            return (Client(),) * int(field)
        found = [_CLIENT_FIELD.fullmatch(client.strip()) for client in field.split(",")]
        if not all(found) or len(found) > MAX_CLIENTS:
            raise IncompleteLesson(
                f"{self.path_to('lesson.md')}: write `clients: 2`, or up to {MAX_CLIENTS} of "
                f"`this browser`, `{REQUEST}`, `{ANONYMOUS}`, `{'`, `'.join(ACCOUNTS)}`, with "
                "commas between them; each may add `from http://a.test` and `on 2`"
            )
        return tuple(
            Client(
                None if one["account"] in ("this browser", REQUEST) else one["account"],
                one["origin"],
                int(one["server"] or 1),
                one["account"] == REQUEST,
            )
            for one in found
        )

    @property
    def _exercise_parts(self) -> re.Match:
        if found := _EXERCISE_FIELD.match(self._required_field("exercise")):
            return found
        cure = "write `exercise: Name(SyncConsumer)` or a function's name"
        raise IncompleteLesson(f"{self.path_to('lesson.md')}: {cure}")

    @property
    def exercise_name(self) -> str:
        """Name of the class or function that the student repairs."""
        return self._exercise_parts["name"]

    @property
    def exercise_base(self) -> str | None:
        """The raw or generic base class; None where the exercise is a function."""
        return self._exercise_parts["base"]

    @property
    def hints(self) -> list[str]:
        """Markdown of each hint; each gives away more than the one before."""
        text = self.path_to("hints.md").read_text(encoding="utf-8")
        return [hint.partition("\n")[2].strip() for hint in re.split(r"^## ", text, flags=re.M)[1:]]


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons, by number."""
    folders = (f for f in COURSE_DIR.iterdir() if re.fullmatch(r"\d\d_[a-z][a-z0-9_]*", f.name))
    return tuple(sorted((Lesson(folder) for folder in folders), key=lambda one: one.number))


def find(name: str | int) -> Lesson:
    """The lesson of that number or slug: 3, "3", "03", "stop", "03-stop" or "03_stop".

    The number of a lesson may change: of "02-stop", the slug counts. Raises UnknownLesson.
    """
    wanted = str(name).strip().lower().replace("_", "-")
    slug = re.sub(r"^\d\d?-", "", wanted)
    for lesson in lessons():
        if wanted in (str(lesson.number), f"{lesson.number:02}"):
            return lesson
        if slug == lesson.slug.replace("_", "-"):
            return lesson
    known = ", ".join(f"{lesson.number} {lesson.slug}" for lesson in lessons())
    meant = did_you_mean(wanted, [lesson.slug for lesson in lessons()])
    raise UnknownLesson(f"There is no lesson {name!r}.{meant} There are: {known}.")


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A question with the name that is closest to a misspelt word; empty if none is close."""
    close = difflib.get_close_matches(word, names, n=1)
    return f" Did you mean {close[0]}?" if close else ""
