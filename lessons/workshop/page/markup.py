"""Renders Markdown and Python as HTML. Colours are classes, so a page needs no inline style."""

import re
from functools import lru_cache
from hashlib import sha256
from html import escape
from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from lessons.workshop.course.source_code import Source
from lessons.workshop.page.transcript_markup import CAPTION, transcript_to_html


class Section(NamedTuple):
    """A heading and the text up to the next one. `id` is "" for the title of the whole text."""

    id: str
    level: int
    title: str
    text: str


@lru_cache(maxsize=512)
def markdown_to_html(markdown: str) -> SafeString:
    """HTML, with any HTML in `markdown` escaped. Text after a fence's language is its caption."""
    return mark_safe(_parser().render(markdown))


def inline_code_to_html(text: str) -> SafeString:
    """One line of text as HTML: text between backticks becomes code."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


@lru_cache(maxsize=512)
def markdown_sections(markdown: str) -> tuple[Section, ...]:
    """The sections of `markdown`, with the heading ids that markdown_to_html() writes.

    Text before the first heading is a section without a title.
    """
    found: list[Section] = []
    texts: list[str] = []
    head = Section("", 1, "", "")
    tokens = _parser().parse(markdown)
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            found.append(head._replace(text="\n".join(texts)))
            title = _plain_text(tokens[place + 1])
            head = Section(str(token.attrGet("id") or ""), int(token.tag[1]), title, "")
            texts = []
        elif token.type == "fence":
            texts += [token.info.partition(" ")[2], token.content]
        elif token.type == "inline" and tokens[place - 1].type != "heading_open":
            texts.append(_plain_text(token))
    found.append(head._replace(text="\n".join(texts)))
    return tuple(one for one in found if one.title or one.text.strip())


def _plain_text(inline: Token) -> str:
    """The text of a paragraph, a heading or a cell, without emphasis and links."""
    return "".join(
        " " if token.type in ("softbreak", "hardbreak") else token.content
        for token in inline.children or ()
    )


def source_json(source: Source) -> dict:
    """`{"place", "lines": [{"number", "method", "html"}], "digest"}`.

    A student's file may be no valid Python at this moment. Then no line is in a method.
    """
    try:
        methods = source.methods()
    except (SyntaxError, ValueError):
        methods = {}
    lines = highlight_code(source.text, "python").split("\n")
    lines = [
        {
            "number": number,
            "method": next((name for name, lines in methods.items() if number in lines), ""),
            "html": line,
        }
        for number, line in enumerate(lines, start=source.first_line)
    ]
    return {"place": source.place, "lines": lines, "digest": source_digest(source)}


def source_digest(source: Source) -> str:
    """A digest that changes with the source, so a page can find out whether it shows an old one."""
    return sha256(f"{source.place}\n{source.text}".encode()).hexdigest()[:16]


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    # The ids are GitHub's, so that links within a file work on both pages.
    parser.use(anchors_plugin, min_level=2, max_level=6)
    parser.add_render_rule("heading_open", _heading_open)
    parser.add_render_rule("heading_close", _heading_close)
    parser.add_render_rule("th_open", _cell_open)
    parser.add_render_rule("td_open", _cell_open)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    return parser


def _heading_open(self, tokens, index, options, env) -> str:
    """Make the heading a link to itself, so that a reader can copy its address."""
    name = _link_target(tokens[index], tokens[index + 1])
    opened = self.renderToken(tokens, index, options, env)
    return opened + format_html('<a class="anchor" href="#{}">', name) if name else opened


def _heading_close(self, tokens, index, options, env) -> str:
    closed = self.renderToken(tokens, index, options, env)
    return f"</a>{closed}" if _link_target(tokens[index - 2], tokens[index - 1]) else closed


def _cell_open(self, tokens, index, options, env) -> str:
    """Write a column's alignment as a class, because the page's policy forbids inline style."""
    style = tokens[index].attrs.pop("style", "")
    if style:
        tokens[index].attrJoin("class", str(style).replace("text-align:", "to-"))
    return self.renderToken(tokens, index, options, env)


def _link_target(heading: Token, inline: Token) -> str | int | float | None:
    """The heading's id, unless the heading contains a link already."""
    is_link = any(token.type == "link_open" for token in inline.children or ())
    return None if is_link else heading.attrGet("id")


def _fence(self, tokens, index, options, env) -> str:
    language, _, caption = (tokens[index].info or "text").partition(" ")
    code = tokens[index].content
    if caption.startswith(CAPTION) and (figure := transcript_to_html(caption, code)):
        return figure
    return format_html(
        '<figure class="code {}">{}{}</figure>\n',
        language,
        format_html("<figcaption>{}</figcaption>", caption) if caption else "",
        code_to_html(code, language),
    )


def code_to_html(code: str, language: str) -> SafeString:
    """A block of code. Its lines wrap, except in a text, whose columns would no longer align."""
    kind = "scroll" if language == "text" else "wraps"
    html = mark_safe(highlight_code(code, language))
    return format_html('<pre class="{}"><code>{}\n</code></pre>', kind, html)


@lru_cache(maxsize=256)
def highlight_code(code: str, language: str) -> str:
    """`code` as HTML, line by line: no element spans two lines."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    return highlight(code, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")


def highlight_python(code: str) -> str:
    return highlight_code(code, "python")
