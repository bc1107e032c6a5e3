"""Writes the generated parts of NOTES.md: `python3 -m lessons.workshop.authoring.notes`.

NOTES.md holds the generated text itself, so that it can be read anywhere. Each generated part names
its source:

- ```` ```python QUALIFIED.NAME ````: the code of that name;
- ```` ```text SLUG: NAME | step | step ````: the transcript of that conversation in lesson SLUG;
- from `[//]: # "NAME"` to `[//]: # "end"`: the table NAME, see TABLES;
- `[^test_name]`: a footnote, the proof of the sentence before it. The command writes the footnotes
  of a chapter at the chapter's end. They say which file has that test.

With `--figures` it also writes the tables of figures, from what `manage.py bench` has measured on
this machine. A test keeps watch over everything but the figures.
"""

import ast
import re
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from lessons.workshop.authoring.notes_figures import FIGURES
from lessons.workshop.course import source_code
from lessons.workshop.course.lesson_index import COURSE_DIR, PROJECT_DIR, find
from lessons.workshop.course.lesson_text import split_chapters
from lessons.workshop.engine.process.child_process import set_up_django
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.engine.script.steps import split_steps

NOTES = PROJECT_DIR / "NOTES.md"
# tests/support/programs/server_probes.py measures this table.
SERVERS_TABLE = Path(__file__).with_name("servers.md")
LAYERS_TABLE = COURSE_DIR / "13_delivery" / "layers.md"  # measured by layer_probes.py
SECURITY_TESTS = PROJECT_DIR / "tests" / "extras" / "test_hardened_chat_security.py"
PLAY_TIMEOUT = 60  # seconds for a conversation, on a busy machine

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S)
TABLE = re.compile(r'^\[//\]: # "(?P<name>[\w-]+)"\n\n(?P<body>.*?)^\[//\]: # "end"$', re.M | re.S)
PROOF = re.compile(r"(?<=.)\[\^(?P<name>test_\w+)\]")
FOOTNOTE = re.compile(r"^\[\^(?P<name>test_\w+)\]: .*\n", re.M)
_CONVERSATION = re.compile(r"(?P<slug>\w+): (?P<steps>.+ \| .+)")
_MARKDOWN = re.compile(r"[\\`*<>\[\]|]|(?<!\w)_|_(?!\w)")


def regenerated(text: str, figures: bool = False) -> str:
    """NOTES.md with every generated part written again."""
    tables = TABLES | FIGURES if figures else TABLES
    text = FENCE.sub(_block, FOOTNOTE.sub("", text))
    text = TABLE.sub(lambda found: _table(found, tables), text)
    chapters = [_with_footnotes(one.rstrip()) for one in split_chapters(text)]
    return TABLE.sub(lambda found: _contents(found, chapters), "\n\n".join(chapters) + "\n")


def _block(found: re.Match) -> str:
    language, _, origin = found["info"].partition(" ")
    if language == "python":
        return f"```{found['info']}\n{source_code.find_source(origin).text}\n```"
    if language == "text" and (conversation := _CONVERSATION.fullmatch(origin)):
        return f"```{found['info']}\n{_transcript(**conversation.groupdict())}\n```"
    return found[0]


def _transcript(slug: str, steps: str) -> str:
    from lessons.workshop.engine.process.conversation import (
        play,  # imports consumers, so Django is set up first
    )

    name, *steps = split_steps(steps)
    return render(play(find(slug), name, steps, timeout=PLAY_TIMEOUT), waits=True)


def _table(found: re.Match, tables: dict[str, Callable[[], str]]) -> str:
    if (make := tables.get(found["name"])) is None:
        return found[0]
    return f'[//]: # "{found["name"]}"\n\n{make()}\n\n[//]: # "end"'


def _with_footnotes(chapter: str) -> str:
    """The chapter with a footnote for each test that it names as a proof."""
    names = dict.fromkeys(PROOF.findall(chapter))
    footnotes = "\n".join(f"[^{name}]: {_proof(name)}" for name in names)
    return f"{chapter}\n\n{footnotes}".rstrip()


def _proof(name: str) -> str:
    if not (files := files_by_test().get(name)):
        raise LookupError(f"No test has the name {name}. Fix the name.")
    return ", ".join(f"[{file}]({file})" for file in files) + f": `{name}`"


def _contents(found: re.Match, chapters: list[str]) -> str:
    """The list of chapters, in the table "contents"."""
    if found["name"] != "contents":
        return found[0]
    titles = [one.partition("\n")[0].removeprefix("## ") for one in chapters[1:]]
    links = " · ".join(f"[{title}](#{anchor_of(title)})" for title in titles)
    return f'[//]: # "contents"\n\n{links}\n\n[//]: # "end"'


def anchor_of(title: str) -> str:
    """The anchor that GitHub makes from a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@cache
def files_by_test() -> dict[str, list[str]]:
    """The name of each test, with the files that have a test of that name."""
    found: dict[str, list[str]] = {}
    for file in sorted((PROJECT_DIR / "tests").rglob("test_*.py")):
        path = file.relative_to(PROJECT_DIR).as_posix()
        text = file.read_text(encoding="utf-8")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)", text, re.M):
            found.setdefault(name, []).append(path)
    return found


# Tables


def escaped(text: str) -> str:
    """Text for a cell of a Markdown table that shows every character unchanged."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def measured_table(columns: dict[str, dict[str, str]]) -> str:
    """A measured table: for each kind of server or layer, the result of each probe by its name."""
    names = next(iter(columns.values()))
    rows = [[name, *(column[name] for column in columns.values())] for name in names]
    return markdown_table(["", *columns], rows) + "\n"


def read_measured_table(file: Path) -> dict[str, dict[str, str]]:
    """The columns that measured_table() has written to the file."""
    (_, *kinds), _, *rows = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in file.read_text(encoding="utf-8").splitlines()
    )
    return {
        kind: {name: cells[number] for name, *cells in rows} for number, kind in enumerate(kinds)
    }


def _measured(file: Path) -> str:
    """The measured table in the file, with a name for its first column."""
    return file.read_text(encoding="utf-8").rstrip().replace("|  |", "| what |", 1)


def _security() -> str:
    """The attacks in the docstring of the chat's security tests, each with its proofs."""
    docstring = ast.get_docstring(ast.parse(SECURITY_TESTS.read_text(encoding="utf-8")))
    rows = []
    for attack, text in re.findall(r"^(\S[^\n]*):\n((?: {4}[^\n]*\n?)+)", docstring, re.M):
        answer, _, proofs = text.partition("→")
        links = [f"[^{name}]" for name in re.findall(r"\btest_\w+(?=[,\n]|$)", proofs)]
        answer = escaped(answer).replace(r"\`", "`")  # the docstring has code in it
        rows.append([escaped(attack), answer.strip() + " ".join(links)])
    return markdown_table(["what may be tried", "what the chat does"], rows)


TABLES = {
    "layers": partial(_measured, LAYERS_TABLE),
    "servers": partial(_measured, SERVERS_TABLE),
    "security": _security,
}


if __name__ == "__main__":
    set_up_django()
    notes = NOTES.read_text(encoding="utf-8")
    NOTES.write_text(regenerated(notes, figures="--figures" in sys.argv), encoding="utf-8")
