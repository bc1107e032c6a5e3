"""The parts of NOTES.md that come from elsewhere: `python -m tests.notes.parts` writes them anew.

They stand in the file as anybody reads it, so each says where it comes from:

- ```` ```python QUALIFIED.NAME ````, the code of that name;
- ```` ```text SLUG: NAME | step | step ````, the transcript of that conversation in lesson SLUG;
- from `[//]: # "NAME"` to `[//]: # "end"`, a table, which tables.py makes;
- `[test](FILE "test_name")`, a proof: FILE is found by the test's name, and may be left out.

With `--figures`, the tables of figures too, from what `manage.py bench` has kept in .workshop/.
"""

import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTES = ROOT / "NOTES.md"
PATIENCE = 60  # seconds for a conversation, only ever spent where one has no end

FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S)
TABLE = re.compile(r'^\[//\]: # "(?P<name>[\w-]+)"\n\n(?P<body>.*?)^\[//\]: # "end"$', re.M | re.S)
PROOF = re.compile(r'\[test\]\((?:(?P<file>[\w/]+\.py) )?"(?P<name>test_\w+)"\)')
_CONVERSATION = re.compile(r"(?P<slug>\w+): (?P<steps>.+ \| .+)")


def refreshed(text: str, figures: bool = False) -> str:
    """The whole of NOTES.md as it should be now."""
    from tests.notes.tables import FIGURES, TABLES

    tables = TABLES | FIGURES if figures else TABLES
    text = FENCE.sub(_block, text)
    text = TABLE.sub(lambda found: _table(found, tables), text)
    return PROOF.sub(_proof, text)


def _block(found: re.Match) -> str:
    language, _, origin = found["info"].partition(" ")
    if language == "python":
        return f"```{found['info']}\n{code(origin)}\n```"
    if language == "text" and (conversation := _CONVERSATION.fullmatch(origin)):
        return f"```{found['info']}\n{transcript(**conversation.groupdict())}\n```"
    return found[0]


def code(name: str) -> str:
    from lessons.core.source import find_source

    return find_source(name).text


def transcript(slug: str, steps: str) -> str:
    from lessons.core.catalogue import find
    from lessons.playback.conversation import play
    from lessons.wire.transcript import render

    name, *steps = (part.strip() for part in steps.split("|"))
    return render(play(find(slug), name, steps, timeout=PATIENCE))


def _table(found: re.Match, tables: dict[str, Callable[[], str]]) -> str:
    if (make := tables.get(found["name"])) is None:
        return found[0]
    return f'[//]: # "{found["name"]}"\n\n{make()}\n\n[//]: # "end"'


def _proof(found: re.Match) -> str:
    name, file = found["name"], found["file"]
    places = files_by_test().get(name, [])
    if file not in places:
        if len(places) != 1:
            raise LookupError(f"{name} is in {places or 'no file'}: write which, or mend the name")
        file = places[0]
    return f'[test]({file} "{name}")'


@cache
def files_by_test() -> dict[str, list[str]]:
    """Each test's name, with the files that have a test of that name."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        path = file.relative_to(ROOT).as_posix()
        text = file.read_text(encoding="utf-8")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)", text, re.M):
            found.setdefault(name, []).append(path)
    return found


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    django.setup()
    now = NOTES.read_text(encoding="utf-8")
    NOTES.write_text(refreshed(now, figures="--figures" in sys.argv), encoding="utf-8")
