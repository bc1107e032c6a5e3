"""A lesson's text as HTML, with its drawings: `![what it shows](name.svg)`, a file beside the text.

An <img> would not see the colours of the page. So the SVG becomes a part of the page. A drawing
uses `currentColor`, the page's CSS variables (`stroke="var(--client)"`), and attributes. It has no
style and no script, because the page's policy forbids both.
"""

import re
from html import unescape
from pathlib import Path

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.page.markup import markdown_to_html

_IMAGE = re.compile(
    r'<p><img src="(?P<name>[\w-]+\.svg)" alt="(?P<alt>[^"]*)"'
    r'(?: title="(?P<title>[^"]*)")? ?/?></p>'
)
_ID = re.compile(r'(\bid="|url\(#|href="#)')
_ROOT = re.compile(r"<svg\b")


def text_to_html(markdown: str, folder: Path, lesson_url: str = "") -> SafeString:
    """As markdown_to_html(), with the drawings of that folder.

    The links that play a transcript lead to `lesson_url`, if the text is not on that page.
    """

    def drawing(found: re.Match) -> str:
        return _figure(
            folder / found["name"], unescape(found["alt"]), unescape(found["title"] or "")
        )

    html = _IMAGE.sub(drawing, markdown_to_html(markdown))
    return mark_safe(html.replace('<a class="play" href="', f'<a class="play" href="{lesson_url}'))


def _figure(file: Path, alt: str, title: str) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return format_html('<p class="notice">The drawing {} is missing: {}</p>', file.name, alt)
    # Two drawings of a page may have the same ids.
    svg = _ID.sub(rf"\g<1>{file.stem}-", text[_ROOT.search(text).start() :].strip())
    label = format_html('<svg role="img" aria-label="{}"', alt)
    caption = format_html("<figcaption>{}</figcaption>", title) if title else ""
    svg = mark_safe(_ROOT.sub(lambda _: label, svg, count=1))
    return format_html('<figure class="drawing">{}{}</figure>', svg, caption)
