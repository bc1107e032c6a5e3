"""Markdown and code as a terminal shows them, in the terminal's own colours."""

from rich.markdown import CodeBlock, Heading, Markdown
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text


def code(source: str, language: str) -> Syntax:
    """Without a background: a dark theme would be a black box on a light terminal."""
    return Syntax(
        source.rstrip(), language, theme="ansi_dark", background_color="default", word_wrap=True
    )


class _Heading(Heading):
    """Rich centres headings, and puts a box round the first."""

    def __rich_console__(self, console, options):
        self.text.justify = "left"
        yield self.text


class _CodeBlock(CodeBlock):
    """What follows the language in the info string says where the block comes from."""

    @classmethod
    def create(cls, markdown, token):
        block = cls(token.info.partition(" ")[0] or "text", "")
        block.origin = token.info.partition(" ")[2]
        return block

    def __rich_console__(self, console, options):
        if self.origin:
            yield Padding(Text(self.origin, style="dim"), (0, 0, 0, 2))
        yield Padding(code(str(self.text), self.lexer_name), (0, 0, 0, 2))


class Page(Markdown):
    elements = Markdown.elements | {
        "heading_open": _Heading,
        "fence": _CodeBlock,
        "code_block": _CodeBlock,
    }
