"""Writes the generated parts of NOTES.md: `python3 -m lessons.workshop.authoring.notes`.

NOTES.md holds the generated text itself, so that it can be read anywhere. Each generated part names
its source:

- ```` ```python QUALIFIED.NAME ````: the code of that name;
- from `[//]: # "NAME"` to `[//]: # "end"`: the measured table of the layers, or the chapters.

A test keeps watch over all of it.
"""

import re

from lessons.workshop.course import source_code
from lessons.workshop.course.lesson_index import COURSE_DIR, PROJECT_DIR
from lessons.workshop.course.lesson_text import BLOCK, kind_and_rest, split_chapters

NOTES = PROJECT_DIR / "NOTES.md"
LAYERS_TABLE = COURSE_DIR / "13_delivery" / "layers.md"  # measured by layer_probes.py

TABLE = re.compile(r'^\[//\]: # "(?P<name>\w+)"\n\n(?P<body>.*?)^\[//\]: # "end"$', re.M | re.S)


def regenerated(text: str) -> str:
    """NOTES.md with every generated part written again."""
    return TABLE.sub(lambda found: _table(found, text), BLOCK.sub(_block, text))


def _block(found: re.Match) -> str:
    language, origin = kind_and_rest(found)
    if language == "python":
        return f"```{found['info']}\n{source_code.find_source(origin).text}\n```"
    return found[0]


def _table(found: re.Match, notes: str) -> str:
    name = found["name"]
    if name == "contents":
        body = _contents(notes)
    else:
        body = LAYERS_TABLE.read_text(encoding="utf-8").rstrip()
        body = body.replace("|  |", "| what |", 1)
    return f'[//]: # "{name}"\n\n{body}\n\n[//]: # "end"'


def _contents(notes: str) -> str:
    """The chapters of the guide, then the sections of the last chapter, the reference."""
    *guide, reference = split_chapters(notes)[1:]
    sections = re.findall(r"^### (.+)$", reference, re.M)
    chapters = [one.partition("\n")[0].removeprefix("## ") for one in guide]
    return f"**Guide**: {_links(chapters)}\n\n**Reference**: {_links(sections)}"


def _links(titles: list[str]) -> str:
    return " · ".join(f"[{title}](#{anchor_of(title)})" for title in titles)


def anchor_of(title: str) -> str:
    """The anchor that GitHub makes from a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


if __name__ == "__main__":
    NOTES.write_text(regenerated(NOTES.read_text(encoding="utf-8")), encoding="utf-8")
