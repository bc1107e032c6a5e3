"""Markdown and Python as HTML. Colours come from classes, so the page needs no inline style."""

from functools import lru_cache

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from lessons.source import Source


@lru_cache(maxsize=128)
def as_html(markdown: str) -> SafeString:
    """Markdown, its own HTML shown as text. What a fence says after its language is a caption."""
    return mark_safe(_parser().render(markdown))


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
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    return parser


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
    """The picture of a benchmark's figures; the table below it says the same in words."""
    name = caption.removeprefix("chart: ")
    if name == caption:
        return ""
    return format_html(
        '<img src="{}" alt="The figures of the table below, as a picture">',
        reverse("chart", args=[name]),
    )


@lru_cache(maxsize=256)
def highlighted(code: str, language: str) -> str:
    """`code` as HTML, line for line: no element crosses the end of a line."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text", stripnl=False)
    return highlight(code, lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
