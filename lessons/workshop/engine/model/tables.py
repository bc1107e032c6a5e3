"""The rows of the database as a model sees them: what the steps of other processes have saved.

A model reads the rows that are committed, and may save rows that a consumer must save:

    self.tables["auth.Group"]                # all rows, by id: dicts with "id" and fields
    self.save("db_demo.Entry", text="news")  # returns the row, with the id that it gets

Only fields that a step names are known. What a deletion changes in other tables is not.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from ..script.database_actions import numbered


@dataclass(frozen=True)
class Change:
    """A row that was saved or deleted. `silent` changes send no signal."""

    table: str
    row: dict
    is_deleted: bool = False
    silent: bool = False


class Tables:
    """All tables at one time. A model copies them before it changes them."""

    def __init__(self):
        self._tables: dict[str, dict[int, dict]] = {}
        self._last_ids: dict[str, int] = {}
        self._changes: list[Change] = []  # of the open transaction
        self._begun: list[tuple] = []  # how all was when the transaction and savepoints began
        self.undone: list[Change] = []  # what was rolled back

    def __getitem__(self, table: str) -> list[dict]:
        """The committed rows, by id."""
        tables = self._begun[0][0] if self._begun else self._tables
        rows = tables.get(table, {})
        return [rows[number] for number in sorted(rows)]

    @cached_property
    def as_text(self) -> str:
        """A text that two equal states share, for tables that do not change any more."""
        return repr((self._tables, self._last_ids, self._changes, self._begun, self.undone))

    @property
    def in_transaction(self) -> bool:
        return bool(self._begun)

    def copy(self) -> "Tables":
        """A copy that may be changed. Both have the same rows, of which none ever changes."""
        copy = Tables()
        copy._tables, copy._last_ids, copy._changes = self._copied()
        copy._begun, copy.undone = [*self._begun], [*self.undone]
        return copy

    def save(self, table: str, silent=False, **fields) -> dict:
        """Save a row: a new one, or the one with that `id`. Returns it with its id."""
        rows = self._tables.setdefault(table, {})
        number = fields.get("id") or self._last_ids.get(table, 0) + 1
        row = rows[number] = {**rows.get(number, {}), **fields, "id": number}
        self._last_ids[table] = max(number, self._last_ids.get(table, 0))
        self._changes.append(Change(table, row, silent=silent))
        return row

    def forget_changes(self) -> None:
        """What has changed is not news: the consumer itself has saved it."""
        if not self._begun:
            self._changes = []

    def take(self, step) -> tuple[object, list[Change]]:
        """Take a step. Returns what its answer must be, and the changes that it has committed."""
        answer = getattr(self, f"_{step.action}")(**step.arguments)
        committed = [] if self._begun else self._changes
        if committed:
            self._changes = []
        return answer, committed

    def _row(self, model, fields, times=1, rolled_back=False, silent=False, unsaved=(), **how):
        before = self._copied()
        for own in numbered(fields, times):
            row = self.save(model, silent, **own)
        if unsaved:  # the object that signals show has these fields, too
            self._changes[-1] = replace(self._changes[-1], row={**row, **unsaved})
        if rolled_back:
            self._restore(before)
        return row["id"]

    def _load(self, tables):
        for table, rows in tables.items():
            for fields in rows:
                self.save(table, silent=True, **fields)

    def _delete(self, model, fields):
        rows = self._tables.get(model, {})
        for row in [row for row in rows.values() if fields.items() <= row.items()]:
            self._changes.append(Change(model, rows.pop(row["id"]), is_deleted=True))

    def _begin(self):
        self._begun.append(self._copied())

    def _commit(self):
        if self._begun:
            self._begun.pop()

    def _rollback(self):
        if self._begun:
            self._restore(self._begun.pop())

    def _rows(self, model):
        return self[model]

    def _restore(self, before: tuple) -> None:
        self.undone += self._changes[len(before[2]) :]
        self._tables, self._last_ids, self._changes = before

    def _copied(self) -> tuple:
        tables = {table: {**rows} for table, rows in self._tables.items()}
        return tables, {**self._last_ids}, [*self._changes]


def are_like(rows: list[dict], answer) -> bool:
    """Whether the answer of `rows` has these rows in this order. It may have other columns, too."""
    if not isinstance(answer, list) or len(answer) != len(rows):
        return False
    pairs = zip(rows, answer, strict=True)
    return all(isinstance(row, dict) and wanted.items() <= row.items() for wanted, row in pairs)


TABLE_STEPS = ("row", "load", "delete", "begin", "commit", "rollback", "rows")
