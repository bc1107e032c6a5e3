"""Markdown and code in a terminal, in the terminal's own colours."""

from rich.markdown import CodeBlock, Heading, Markdown
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text


def code_block(source: str, language: str) -> Syntax:
    """Highlighted code without a background, which would be a black box on a light terminal."""
    return Syntax(
        source.rstrip(), language, theme="ansi_dark", background_color="default", word_wrap=True
    )


class _Heading(Heading):
    """Aligned left. Rich centres headings and draws a box around the first."""

    def __rich_console__(self, console, options):
        self.text.justify = "left"
        yield self.text


class _CodeBlock(CodeBlock):
    """With its source above it: the info string names the source after the language."""

    @classmethod
    def create(cls, markdown, token):
        block = cls(token.info.partition(" ")[0] or "text", "")
        block.origin = token.info.partition(" ")[2]
        return block

    def __rich_console__(self, console, options):
        if self.origin:
            yield Padding(Text(self.origin, style="dim"), (0, 0, 0, 2))
        yield Padding(code_block(str(self.text), self.lexer_name), (0, 0, 0, 2))


class TerminalMarkdown(Markdown):
    elements = Markdown.elements | {
        "heading_open": _Heading,
        "fence": _CodeBlock,
        "code_block": _CodeBlock,
    }
