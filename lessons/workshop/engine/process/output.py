"""What a student's code prints: the beginning of the text is kept."""

import io

MAX_OUTPUT = 4000  # characters of printed text that are kept


class LimitedOutput(io.StringIO):
    """Replaces stdout and stderr: keeps the beginning of the text and counts the rest in `cut`."""

    cut = 0

    def write(self, text):
        kept = text[: MAX_OUTPUT - self.tell()]
        self.cut += len(text) - len(kept)
        super().write(kept)
        return len(text)

    def forget(self) -> None:
        self.seek(0)
        self.truncate()
        self.cut = 0

    def add(self, text: str, cut: int) -> None:
        """Add what another output has kept, and the number of characters that it has cut."""
        self.write(text)
        self.cut += cut

    def text(self) -> str:
        """What was kept, and a note if something was cut."""
        note = f"\n[{self.cut} more characters were printed and cut]" if self.cut else ""
        return self.getvalue() + note
