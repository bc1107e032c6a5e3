"""What happens outside the consumer in a conversation: other processes, views and the admin.

Each function takes one step that no client takes. Its result is the answer of the step: plain data
that a model can compare, or None.
"""

import datetime
import decimal
import json
import linecache
import uuid
import warnings
from contextlib import suppress

from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.apps import apps
from django.db import connection, transaction

from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.engine.script.student_test import run_student_test, tests_of
from lessons.workshop.engine.world.channel_layer import current_layer

MAX_FILL = 1000  # messages; more would mean that the channel has no capacity


async def take_outside_step(player, action: str, arguments: dict):
    """Take the step with that action. Raises UnknownStep's causes: LookupError, ValueError, …"""
    return await _ACTIONS[action](player, **arguments)


# The database


async def _row(player, model, fields, times=1, **kind):
    objects = player.transaction.objects if player.transaction.is_open else {}
    return await player.write(_save_rows, objects, model, fields, times, **kind)


def _save_rows(objects, model, fields, times, rolled_back=False, partial=False, silent=False):
    """Returns the id of the row, which is the last one if there are several.

    All steps of a transaction change the same object of a row, as a view does. After a silent
    change, the next step reads the row again.
    """
    model_class = apps.get_model(model)
    if silent:
        objects.pop((model, fields.get("id")), None)
        return _save_silently(model_class, fields, times)
    with transaction.atomic():
        for _ in range(times):
            key = model, fields.get("id")
            row = objects.get(key) or model_class.objects.filter(pk=key[1]).first() or model_class()
            for field, value in fields.items():
                setattr(row, field, value)
            row.save(update_fields=[name for name in fields if name != "id"] if partial else None)
            objects[model, row.pk] = row
        transaction.set_rollback(rolled_back)
    return row.pk


def _save_silently(model_class, fields, times):
    found = model_class.objects.filter(pk=fields.get("id"))
    if found.exists():
        found.update(**fields)
        return fields["id"]
    return model_class.objects.bulk_create([model_class(**fields) for _ in range(times)])[-1].pk


async def _load(player, tables):
    await player.write(_save_tables, tables)


_loaded: dict[str, list] = {}  # the statements that have saved these tables before


def _save_tables(tables: dict) -> None:
    """Many conversations begin with the same rows, so the statements are made once."""
    key = json.dumps(tables)
    with transaction.atomic(), connection.cursor() as cursor:
        if key in _loaded:
            for statement in _loaded[key]:
                cursor.execute(*statement)
            return
        statements = []

        def remember(execute, sql, params, many, context):
            statements.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(remember):
            for model, rows in tables.items():
                model_class = apps.get_model(model)
                model_class.objects.bulk_create([model_class(**fields) for fields in rows])
        _loaded[key] = [it for it in statements if it[0].startswith("INSERT")]


async def _delete(player, model, fields):
    def delete():
        found = apps.get_model(model).objects.filter(**fields)
        # Code may replace one of both ways to delete, and forget the other.
        rows = list(found)
        return rows[0].delete() if len(rows) == 1 else found.delete()

    await player.write(delete)


async def _begin(player):
    await player.transaction.begin()


async def _commit(player):
    await player.transaction.end(rolls_back=False)


async def _rollback(player):
    await player.transaction.end(rolls_back=True)


async def _rows(player, model):
    rows = await player.do(lambda: list(apps.get_model(model).objects.order_by("pk").values()))
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


async def _database(player, event):
    await player.database.restart()


def _plain(value):
    """A column's value as JSON; a date as ISO 8601."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal | uuid.UUID):
        return str(value)
    return value


# The channel layer


async def _send(player, name, message):
    await get_channel_layer().send(name, message)


async def _group(player, name, message):
    await get_channel_layer().group_send(name, message)


async def _join(player, group, name):
    await get_channel_layer().group_add(group, name)


async def _take(player, name):
    """The next message of a channel, as a dict; None if none waits; a text if it is unreadable."""
    try:
        return await current_layer().receive_waiting(name)
    except ValueError as error:
        return error_text(error)


async def _take_all(player, name):
    found = []
    while (message := await _take(player, name)) is not None:
        found.append(message)
    return found


async def _fill(player, name):
    with suppress(ChannelFull):
        for _ in range(MAX_FILL):
            await get_channel_layer().send(name, {"type": "filler"})


async def _redis(player, state):
    redis = current_layer().redis
    match state:
        case "gone":
            redis.stop_all_hosts()
        case "groups gone":
            redis.stop_group_host()
        case "channels gone":
            redis.stop_channel_host()
        case "outside gone":
            redis.cut_off_outside()
        case "back":
            redis.start()


# Workers


async def _worker(player, channels):
    await player.workers.start(*channels)


async def _kill_workers(player):
    await player.workers.kill()


# Functions of the exercise


async def _call(player, name, arguments):
    return await player.call(name, arguments)


# Accounts


async def _account(player, user, fields):
    await player.accounts.change(user, fields)


async def _session(player, user, fields):
    await player.accounts.start_session(user, fields)


async def _logout(player, user):
    await player.accounts.log_out(user)


async def _issue(player, name):
    await player.accounts.issue(name)


# A test that the student wrote


_TRIED = "consumer_under_test"  # the module of the consumer


async def _try(player, name):
    """Run the student's tests on the consumer of that name, one of `player.consumers`.

    The answer says whether all passed, and if not, which test failed, with which error at which
    line. `events` counts the recorded events; `forgotten` is a warning about a coroutine that was
    never awaited. A source with an `application` is tested whole, any other one is a consumer.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = {"passed": False, "test": "", "error": "", "line": 0, "code": "", "events": 0}
        for title, test in tests_of(player.subject):
            if player.database:
                await player.write(_empty_used_table)
            run = await run_student_test(test, _load_consumer(player.consumers[name]))
            place, error = run.place, run.error
            text = "" if error is None else error_text(error).removesuffix(": ")
            code = linecache.getline(place.file, place.line).strip()
            answer |= {"test": title, "error": text, "line": place.line, "code": code}
            answer["events"] += len(run.transcript)
            # pytest does not fail either after a skip.
            answer["passed"] = not text or text.startswith("Skipped")
            del run, error  # frees coroutines that were never awaited
            if not answer["passed"]:
                break
    forgotten = [str(it.message) for it in caught if "was never awaited" in str(it.message)]
    return {**answer, "forgotten": (forgotten or [""])[0]}


def _load_consumer(source: str):
    """The application of that source, or the application of its first class."""
    namespace = {"__name__": _TRIED}
    exec(compile(source, _TRIED, "exec"), namespace)
    if "application" in namespace:
        return namespace["application"]
    own = next(it for it in namespace.values() if getattr(it, "__module__", "") == _TRIED)
    return own.as_asgi()


def _empty_used_table() -> None:
    """Each test begins without rows, as in pytest. An earlier test has used some ids."""
    entries = apps.get_model("db_demo.Entry").objects
    entries.create(text="of an earlier test")
    entries.all().delete()


_ACTIONS = {
    "try": _try,
    "row": _row,
    "load": _load,
    "delete": _delete,
    "begin": _begin,
    "commit": _commit,
    "rollback": _rollback,
    "rows": _rows,
    "database": _database,
    "send": _send,
    "group": _group,
    "join": _join,
    "take": _take,
    "take-all": _take_all,
    "fill": _fill,
    "worker": _worker,
    "kill-workers": _kill_workers,
    "redis": _redis,
    "account": _account,
    "session": _session,
    "logout": _logout,
    "issue": _issue,
    "call": _call,
}
