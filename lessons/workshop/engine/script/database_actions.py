"""What other processes do with the database."""

import datetime
import decimal
import json
import re
import time
import uuid
from contextlib import nullcontext

from django.apps import apps
from django.db import connection, transaction

from .action import ACTIONS, NAME, OBJECT, Action, one_of

_UNSAVED = re.compile(r"(?P<row>.*\}) unsaved (?P<fields>\{.*\})", re.DOTALL)
_ROW_TIMES = re.compile(r"(?P<row>.*\}) \* (?P<times>[1-9]\d{0,3})", re.DOTALL)
_KINDS = {"rolled-back": "rolled_back"} | {it: it for it in ("partial", "silent", "raw")}  # of rows


class Row(Action, usage='row auth.Group {"name": "a"}', model=NAME, fields=OBJECT):
    """Saves a row, or changes the one with that `id`. The answer is the id of the (last) row.

    row auth.Group {"name": "a #"} * 120    saves so many rows, in one transaction; in a text, #
                                            stands for the number of the row
    partial row auth.Group {...}          loads and saves these fields of the row with that `id`
    partial row auth.Group {...} unsaved {...}    changes others too, which are not saved
    raw row auth.Group {...}              saves the row with that `id` as `loaddata` does
    silent row auth.Group {...}           saves without signals, as bulk_create() and update() do
    rolled-back row auth.Group {...}      saves in a transaction that is rolled back

    All steps of a transaction change the same object of a row, as a view does. After a silent
    change, the next step reads the row again.
    """

    def parse(self, line):
        word, _, rest = line.partition(" ")
        if word == self.name:
            return self.read(rest)
        if not rest.startswith("row "):
            raise ValueError
        return {**self.parse(rest), _KINDS[word]: True}

    def read(self, text):
        if found := _UNSAVED.fullmatch(text):
            return {**super().read(found["row"]), "unsaved": OBJECT.read(found["fields"])}
        if found := _ROW_TIMES.fullmatch(text):
            return {**super().read(found["row"]), "times": int(found["times"])}
        return super().read(text)

    def write(self, arguments):
        text = super().write(arguments)
        for word, kind in _KINDS.items():
            text = f"{word} {text}" if arguments.get(kind) else text
        if "unsaved" in arguments:
            text = f"{text} unsaved {OBJECT.write(arguments['unsaved'])}"
        return f"{text} * {arguments['times']}" if "times" in arguments else text

    async def act(self, player, model, fields, silent=False, **how):
        objects = player.transaction.objects if player.transaction.is_open else {}
        if silent or how.get("unsaved"):
            objects.pop((model, fields.get("id")), None)
        if silent:
            return await player.write(_save_silently, model, fields, **how)
        return await player.write(_save, objects, model, fields, **how)


ACTIONS.update(dict.fromkeys(_KINDS, ACTIONS["row"]))


def _save(
    objects, model, fields, times=1, rolled_back=False, partial=False, raw=False, unsaved=None
):
    model_class = apps.get_model(model)
    names = [name for name in fields if name != "id"] if partial else None
    rows = model_class.objects.only(*names) if partial else model_class.objects
    # Most code saves a row without a transaction.
    with transaction.atomic() if times > 1 or rolled_back else nullcontext():
        for own in numbered(fields, times):
            key = model, own.get("id")
            row = objects.get(key) or rows.filter(pk=key[1]).first() or model_class()
            for field, value in {**own, **(unsaved or {})}.items():
                setattr(row, field, value)
            _save_as_fixture(row) if raw else row.save(update_fields=names)
            if not unsaved:
                objects[model, row.pk] = row
        if rolled_back:
            transaction.set_rollback(True)
    return row.pk


def _save_as_fixture(row) -> None:
    for field in row._meta.concrete_fields:
        field.pre_save(row, add=row._state.adding)  # a fixture holds these values too
    row.save_base(raw=True)


def _save_silently(model, fields, times=1):
    model_class = apps.get_model(model)
    found = model_class.objects.filter(pk=fields.get("id"))
    if found.exists():
        found.update(**fields)
        return fields["id"]
    rows = [model_class(**own) for own in numbered(fields, times)]
    return model_class.objects.bulk_create(rows)[-1].pk


def numbered(fields: dict, times: int) -> list[dict]:
    """The fields of so many rows. In several of them, a # in a text is the number of the row."""
    if times == 1:
        return [fields]
    return [
        {
            name: value.replace("#", str(number)) if isinstance(value, str) else value
            for name, value in fields.items()
        }
        for number in range(1, times + 1)
    ]


class Load(Action, usage='load {"auth.Group": [{"name": "a"}]}', tables=OBJECT):
    """Saves rows of several tables at once, without signals."""

    async def act(self, player, tables):
        await player.write(_load, tables)


# Django takes longer to write these statements than SQLite to execute them, and all conversations
# of a check begin with the same rows. A default value may depend on the time.
_statements: dict[tuple[str, float], list[tuple]] = {}


def _load(tables: dict) -> None:
    key, done = (json.dumps(tables), time.time()), []

    def note(execute, sql, params, *more):
        done.append((sql, params))
        return execute(sql, params, *more)

    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _statements.get(key, ()):
            cursor.execute(*statement)
            cursor.fetchall()
        if key not in _statements:
            with connection.execute_wrapper(note):
                for model, rows in tables.items():
                    model_class = apps.get_model(model)
                    model_class.objects.bulk_create([model_class(**fields) for fields in rows])
            _statements[key] = done


class Delete(Action, usage='delete auth.Group {"name": "a"}', model=NAME, fields=OBJECT):
    """Deletes the rows with these values."""

    async def act(self, player, model, fields):
        await player.write(_delete, model, fields)


def _delete(model, fields):
    found = apps.get_model(model).objects.filter(**fields)
    # Code may replace one of both ways to delete, and forget the other.
    rows = list(found)
    return rows[0].delete() if len(rows) == 1 else found.delete()


class Begin(Action, usage="begin"):
    """The next rows are in a transaction; in one, in a savepoint."""

    async def act(self, player):
        await player.transaction.begin()


class Commit(Action, usage="commit"):
    """Ends the transaction or the savepoint."""

    async def act(self, player):
        await player.transaction.end(rolls_back=False)


class Rollback(Action, usage="rollback"):
    """Rolls back the transaction or the savepoint."""

    async def act(self, player):
        await player.transaction.end(rolls_back=True)


class Rows(Action, usage="rows auth.Group", model=NAME):
    """Reads all rows: the answer is a list of dicts, by id."""

    async def act(self, player, model):
        rows = await player.do(lambda: list(apps.get_model(model).objects.order_by("pk").values()))
        return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value):
    """A column's value as JSON; a date as ISO 8601."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value) if isinstance(value, decimal.Decimal | uuid.UUID) else value


class Database(Action, usage="database restarted", event=one_of("restarted")):
    """Every connection to the database breaks."""

    async def act(self, player, event):
        await player.database.restart()
