"""What a student's code prints: the beginning of the text is kept."""

import io

MAX_OUTPUT = 4000  # characters of printed text that are kept


class LimitedOutput(io.TextIOBase):
    """Replaces stdout and stderr: keeps the beginning of the text and counts the rest."""

    def __init__(self, text: str = "", cut: int = 0):
        self.forget()
        self.add(text, cut)

    def writable(self):
        return True

    def write(self, text):
        kept = text[: self._free]
        if kept:
            self._kept.append(kept)
            self._free -= len(kept)
        self.cut += len(text) - len(kept)
        return len(text)

    def forget(self) -> None:
        """Begin again."""
        self._kept, self._free, self.cut = [], MAX_OUTPUT, 0

    def add(self, text: str, cut: int) -> None:
        """Add what another output has kept, and the number of characters that it has cut."""
        self.write(text)
        self.cut += cut

    @property
    def kept(self) -> str:
        return "".join(self._kept)

    def text(self) -> str:
        """What was kept, and a note if something was cut."""
        note = f"\n[{self.cut} more characters were printed and cut]" if self.cut else ""
        return self.kept + note
