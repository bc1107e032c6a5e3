"""README.md is correct: its tour, its commands, its table of lessons, its links."""

import re
import shlex
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import get_commands

from lessons.workshop.authoring.notes import anchor_of
from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.course.source_code import find_source
from lessons.workshop.measure.processes import project_copy
from tests.support.programs import processes

README = settings.BASE_DIR / "README.md"
GUIDE = settings.BASE_DIR / "lessons" / "guides" / "adding-a-lesson.md"
TEXT = README.read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<to>[^)\s]+)\)")
TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long


def section(title, text=TEXT):
    """Return the text under this heading, up to the next heading of the same level."""
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def blocks(title):
    return [SimpleNamespace(**found.groupdict()) for found in BLOCK.finditer(section(title))]


@pytest.fixture(scope="module")
def copy():
    with project_copy() as project:
        yield project


def with_method(source, method):
    """Replace websocket_disconnect, the last method, as a reader of the tour does."""
    return source[: source.index("    def websocket_disconnect")] + method


def test_the_tour_works_as_written(copy):
    stamp, output = copy.folder / "stamp.py", ""
    for block in blocks("A tour of two minutes"):
        if block.kind == "python":
            whole = not stamp.exists()
            code = block.body if whole else with_method(stamp.read_text(), block.body)
            stamp.write_text(code, encoding="utf-8")
        elif block.kind == "console":
            python, *arguments = shlex.split(block.body)
            assert python == "python3"
            done = processes.run(arguments, cwd=copy.folder, env=copy.environment)
            assert done.stderr == ""
            output = done.stdout
        else:
            assert block.body in output
    assert done.returncode == 1, "the tour does not solve the exercise"


def test_the_instructors_command_separates_green_from_red(copy):
    [block] = [block for block in blocks("Who it is for") if block.kind == "bash"]
    folder = copy.folder / "submissions"
    folder.mkdir()
    for name in ("exercise", "solution"):
        source = copy.folder / "lessons" / "02_frames" / f"{name}.py"
        (folder / f"{name}.py").write_bytes(source.read_bytes())
    _, *arguments = shlex.split(block.body)
    done = processes.run(arguments, cwd=copy.folder, env=copy.environment)
    assert (done.returncode, done.stderr) == (0, "")
    states = re.findall(r"^(\w+) +[✓✗] (\w+)", done.stdout, re.MULTILINE)
    assert states == [("exercise", "red"), ("solution", "green")]
    assert "2 submissions: 1 green, 1 red, 0 not judged" in done.stdout


def table_of_lessons():
    """Return the table that matches the catalogue."""
    lines = ["| | lesson | what it is about | worked example |", "|---|---|---|---|"]
    part = ""
    for lesson in lessons():
        if part != (part := lesson.part_title):
            lines.append(f"| | **{part}** | | |")
        source = find_source(lesson.demo)
        folder, file = (
            path.relative_to(settings.BASE_DIR).as_posix() for path in (lesson.folder, source.file)
        )
        demo = lesson.demo.rpartition(".")[2]
        lines.append(
            f"| {lesson.number} | [{lesson.slug}]({folder}/lesson.md) | {lesson.title} "
            f"| [{demo}]({file}) |"
        )
    return "\n".join(lines)


def test_the_table_of_lessons_matches_the_catalogue():
    assert table_of_lessons() in section("The lessons")


def test_each_named_command_exists():
    named = set(re.findall(r"manage\.py (\w+)", TEXT))
    assert named <= set(get_commands())
    assert {"workshop", "lesson", "cluster", "test", "bench"} <= named


def anchors(file):
    """The anchors of all headings of a Markdown file."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", file.read_text(encoding="utf-8")), re.M)
    return set(map(anchor_of, headings))


@pytest.mark.parametrize("file", [README, GUIDE], ids=lambda file: file.parent.name)
def test_each_link_has_a_target(file):
    links = [found["to"] for found in LINK.finditer(BLOCK.sub("", file.read_text("utf-8")))]
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        target = file.parent / path if path else file
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_each_path_on_the_map_exists():
    [project_map] = re.findall(r"### The map of the project\n\n(.*?)\n\n", TEXT, re.S)
    for line in project_map.splitlines():
        indent = "lessons/" if line.startswith(" " * 8) else ""
        for name in re.match(r"(\S+( \S+)*)", line.strip())[1].split():
            assert (settings.BASE_DIR / (indent + name)).exists(), name
