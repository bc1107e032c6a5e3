"""Markdown and Python as HTML. Colours come from classes, so the page needs no inline style."""

import re
from functools import lru_cache

from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from lessons.core.lesson_text import kept_by_bench
from lessons.core.source import Source
from lessons.web.sections import Section, give_headings_ids, sections

# The classes in code.css, one a colour, for all of Pygments' that have one there.
_COLOURS = {
    name: colour
    for colour, names in {
        "k": "k kn kc kd ow",
        "s": "s s1 s2 sa sb sd se si",
        "c": "c c1 cm",
        "n": "nf nc fm nd nb nt na",
        "m": "mi mf mh",
    }.items()
    for name in names.split()
}
_TOKEN = re.compile(r'<span class="(\w+)">([^<]*)</span>')
_SIZE = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_SAME = re.compile(r'<span class="(\w)">[^<]*</span>(?:<span class="\1">[^<]*</span>)+')


@lru_cache(maxsize=512)
def as_html(markdown: str) -> SafeString:
    """Markdown, its own HTML shown as text. What a fence says after its language is a caption."""
    return mark_safe(_parser().render(markdown))


def with_code(text: str) -> SafeString:
    """Text of one line, with what stands between backticks as code."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


@lru_cache(maxsize=512)
def sections_of(markdown: str) -> tuple[Section, ...]:
    """`markdown` by its headings, with the ids that as_html() gives them."""
    return tuple(sections(_parser().parse(markdown)))


def source_lines(source: Source) -> list[dict]:
    """Each line of `source` with its number in the file and the method that it belongs to."""
    methods = source.methods()
    lines = highlighted(source.text, "python").split("\n")
    return [
        {
            "number": number,
            "method": next((name for name, lines in methods.items() if number in lines), ""),
            "html": mark_safe(line),
        }
        for number, line in enumerate(lines, start=source.first_line)
    ]


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.core.ruler.push("headings", give_headings_ids)
    parser.add_render_rule("heading_open", _heading_open)
    parser.add_render_rule("heading_close", _heading_close)
    parser.add_render_rule("th_open", _cell_open)
    parser.add_render_rule("td_open", _cell_open)
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    return parser


def _heading_open(self, tokens, index, options, env) -> str:
    """A heading is a link to itself, and so the way to copy its address."""
    name = _own_address(tokens[index], tokens[index + 1])
    opened = self.renderToken(tokens, index, options, env)
    return opened + format_html('<a class="anchor" href="#{}">', name) if name else opened


def _heading_close(self, tokens, index, options, env) -> str:
    closed = self.renderToken(tokens, index, options, env)
    return f"</a>{closed}" if _own_address(tokens[index - 2], tokens[index - 1]) else closed


def _cell_open(self, tokens, index, options, env) -> str:
    """A column's alignment as a class: the page's policy lets no inline style through."""
    style = tokens[index].attrs.pop("style", "")
    if style:
        tokens[index].attrJoin("class", str(style).replace("text-align:", "to-"))
    return self.renderToken(tokens, index, options, env)


def _own_address(heading: Token, inline: Token) -> str | int | float | None:
    """The heading's id, where the words in it are not a link already."""
    is_link = any(token.type == "link_open" for token in inline.children or ())
    return None if is_link else heading.attrGet("id")


def _fence(self, tokens, index, options, env) -> str:
    language, _, caption = (tokens[index].info or "text").partition(" ")
    return format_html(
        '<figure class="code {}">{}{}<pre class="scroll"><code>{}</code></pre></figure>\n',
        language,
        _chart(caption),
        format_html("<figcaption>{}</figcaption>", caption) if caption else "",
        mark_safe(highlighted(tokens[index].content, language)),
    )


def _chart(caption: str) -> SafeString | str:
    """The picture of a benchmark's figures; the table below it says the same in words.

    It is loaded once it comes into view, and its room is kept for it.
    """
    name = caption.removeprefix("chart: ")
    if name == caption:
        return ""
    try:
        size = _SIZE.search(kept_by_bench(f"{name}.svg"))
    except OSError:
        return ""
    if size is None:
        return ""
    return format_html(
        '<img src="{}" width="{}" height="{}" loading="lazy" '
        'alt="The figures of the table below, as a picture">',
        reverse("chart", args=[name]),
        *size.groups(),
    )


@lru_cache(maxsize=256)
def highlighted(code: str, language: str) -> str:
    """`code` as HTML, line for line: no element crosses the end of a line.

    As few elements as the colours need: in a lesson's page the others would be every fifth byte.
    """
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    html = highlight(code, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    html = _TOKEN.sub(lambda found: _in_colour(_COLOURS.get(found[1]), found[2]), html)
    return _SAME.sub(lambda found: _in_colour(found[1], _TOKEN.sub(r"\2", found[0])), html)


def _in_colour(colour: str | None, html: str) -> str:
    return f'<span class="{colour}">{html}</span>' if colour else html
