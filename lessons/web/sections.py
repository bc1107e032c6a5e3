"""A Markdown text by its headings: an address for each of them, and what stands under it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from markdown_it.rules_core import StateCore
from markdown_it.token import Token


class Section(NamedTuple):
    """A heading and the words up to the next one. `id` is "" for the title of the whole text."""

    id: str
    level: int
    title: str
    text: str


def give_headings_ids(state: StateCore) -> None:
    """A rule for markdown-it: ids as GitHub gives them, so that a file's own links lead there."""
    taken: dict[str, int] = {}
    for token, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if token.type == "heading_open" and token.tag != "h1":
            name = re.sub(r"[^\w\- ]", "", words_of(inline).lower()).replace(" ", "-")
            again = taken[name] = taken.get(name, -1) + 1
            token.attrSet("id", f"{name}-{again}" if again else name)


def sections(tokens: Sequence[Token]) -> list[Section]:
    """What the tokens of a whole text hold, in order; what comes before any heading too."""
    found: list[Section] = []
    words: list[str] = []
    head = Section("", 1, "", "")
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            found.append(head._replace(text="\n".join(words)))
            title = words_of(tokens[place + 1])
            head = Section(str(token.attrGet("id") or ""), int(token.tag[1]), title, "")
            words = []
        elif token.type == "fence":
            words += [token.info.partition(" ")[2], token.content]
        elif token.type == "inline" and tokens[place - 1].type != "heading_open":
            words.append(words_of(token))
    found.append(head._replace(text="\n".join(words)))
    return [one for one in found if one.title or one.text.strip()]


def words_of(inline: Token) -> str:
    """The text of a paragraph, a heading or a cell, without what makes it bold or a link."""
    return "".join(
        " " if token.type in ("softbreak", "hardbreak") else token.content
        for token in inline.children or ()
    )
