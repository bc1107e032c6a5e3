"""What a lost message, a killed server or a database that fails does to the room."""

import asyncio
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import OperationalError
from django.utils import timezone

from lessons.workshop.room import board_socket as board_module
from lessons.workshop.room import report_writer
from lessons.workshop.room import student_socket as student_module
from lessons.workshop.room.models import Presence, Report, Student
from lessons.workshop.room.report_writer import ReportWriter
from lessons.workshop.room.store import board_rows, presence, reports
from lessons.workshop.room.store.reports import NewReport, StudentDeleted
from tests.support import room_pages
from tests.support.room import (
    TIMEOUT,
    board_socket,
    messages_about,
    new_class,
    new_student,
    report,
    student_socket,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def quick_rereads(monkeypatch):
    monkeypatch.setattr(board_module, "REREAD_INTERVAL", 0.05)
    monkeypatch.setattr(student_module, "REREAD_INTERVAL", 0.05)


@pytest.fixture
def no_announcements(monkeypatch):
    """All messages to the groups are lost."""

    async def lose(class_id, change):
        pass

    monkeypatch.setattr(board_module, "announce", lose)
    monkeypatch.setattr(student_module, "announce", lose)


@pytest.mark.usefixtures("quick_rereads", "no_announcements")
async def test_a_lost_message_only_delays_what_student_and_board_see():
    school_class = await new_class()
    ann = await new_student(school_class)
    async with board_socket(school_class) as board, student_socket(ann) as student:
        await board.say("message", student=None, text="Break")
        await board.say("hold", what="solutions", lesson="*")
        assert (await student.next("announcement"))["data"] == {"text": "Break"}
        assert (await board.next("class"))["class"]["solutions_held"] == ["*"]
        await student.say("report", **report(state="green", was_green=True))
        row = {"standings": {}}
        while not row["standings"]:
            [row] = (await board.next("rows"))["students"]
        assert (row["standings"], row["done"]) == ({"stop": "green"}, ["stop"])


@pytest.mark.usefixtures("quick_rereads")
async def test_a_board_sees_a_row_whose_message_was_lost_even_while_other_messages_arrive():
    school_class = await new_class()
    ann, ben = await new_student(school_class), await new_student(school_class, "Ben")
    async with board_socket(school_class) as board, messages_about(ann.student):
        await Student.objects.filter(pk=ben.student.pk).aupdate(version=7)
        [row] = (await board.next("rows"))["students"]
    assert (row["id"], row["version"]) == (ben.student.pk, 7)


@pytest.mark.usefixtures("quick_rereads")
async def test_sockets_join_their_groups_again_after_redis_has_forgotten_them():
    school_class = await new_class()
    ann = await new_student(school_class)
    layer = get_channel_layer()
    async with board_socket(school_class), student_socket(ann):
        joined = set(layer.groups)
        assert len(joined) == 3  # the class, the student, the boards
        layer.groups.clear()
        async with asyncio.timeout(TIMEOUT):
            while set(layer.groups) != joined:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_layer_that_fails_loses_no_report(monkeypatch):
    ann = await new_student(await new_class())

    async def fail(*args):
        raise ConnectionError("Redis is unreachable")

    async with student_socket(ann) as student:
        monkeypatch.setattr(type(get_channel_layer()), "group_send", fail)
        await student.say("report", **report())
        assert await student.next() == {"type": "acknowledged", "sequence": 1}
    assert await Report.objects.acount() == 1


async def test_a_database_that_fails_acknowledges_nothing(monkeypatch):
    ann = await new_student(await new_class())

    def fail(reports):
        raise OperationalError("database is locked")

    async def send_a_report():
        async with student_socket(ann) as student:
            await student.say("report", **report())
            await student.wait(TIMEOUT)

    monkeypatch.setattr(report_writer, "save_reports", fail)
    with pytest.raises(OperationalError):  # Daphne closes with 1011, and the client returns
        await send_a_report()
    async with student_socket(ann) as student:
        assert student.welcome["acknowledged"] == 0


async def test_reports_that_wait_are_stored_in_one_transaction(monkeypatch):
    ann = await new_student(await new_class())
    batches = []
    save = report_writer.save_reports
    monkeypatch.setattr(
        report_writer, "save_reports", lambda batch: batches.append(len(batch)) or save(batch)
    )
    writer = ReportWriter()
    new = [NewReport(ann.student.pk, "laptop", report(number)) for number in range(1, 151)]
    deleted = NewReport(ann.student.pk + 1, "laptop", report(1))
    results = await asyncio.gather(
        *map(writer.save, [*new, new[0], deleted]), return_exceptions=True
    )
    assert results[:-1] == [True] * 150 + [False]
    assert isinstance(results[-1], StudentDeleted)
    assert batches == [100, 52]
    stored = Report.objects.order_by("pk").values_list("sequence", flat=True)
    assert [one async for one in stored] == [*range(1, 151)]


async def test_a_batch_has_as_many_queries_as_a_single_report(django_assert_num_queries):
    ann = await new_student(await new_class())

    def store(first, last):
        new = [NewReport(ann.student.pk, "a", report(one)) for one in range(first, last)]
        with django_assert_num_queries(9):  # two of them begin and commit
            report_writer.save_reports(new)

    for first, last in ((1, 2), (2, 52)):
        await database_sync_to_async(store)(first, last)


def test_only_the_newest_reports_of_a_lesson_keep_verdict_and_code(monkeypatch):
    monkeypatch.setattr(reports, "KEPT_REPORTS", 2)
    student = room_pages.new_student(room_pages.new_class())
    room_pages.send_report(student, 1, lesson="group", verdict={}, code="other lesson")
    for sequence in range(2, 6):
        room_pages.send_report(student, sequence, verdict={"of": sequence}, code=str(sequence))
    for sequence in range(6, 9):
        room_pages.send_report(student, sequence, verdict={"of": sequence}, code=None)
    stored = Report.objects.order_by("pk").values_list("sequence", "verdict", "code")
    assert list(stored) == [
        (1, {}, "other lesson"),
        (2, None, None),
        (3, None, None),
        (4, {"of": 4}, "4"),
        (5, {"of": 5}, "5"),
        (6, None, None),
        (7, {"of": 7}, None),
        (8, {"of": 8}, None),
    ]
    assert Report.objects.filter(verdict__isnull=True).count() == 3  # NULL, not JSON's null


async def test_a_student_is_connected_as_long_as_one_machine_is():
    school_class = await new_class()
    ann = await new_student(school_class)
    versions = database_sync_to_async(board_rows.versions)
    async with student_socket(ann, "laptop"):
        async with student_socket(ann, "desktop"):
            assert (await versions(school_class.pk))[ann.student.pk][1] is True
        assert (await versions(school_class.pk))[ann.student.pk][1] is True
    assert (await versions(school_class.pk))[ann.student.pk][1] is False
    assert not await Presence.objects.aexists()


async def test_a_student_of_a_killed_server_is_disconnected_after_forty_seconds():
    ann = await new_student(await new_class())
    killed = await Presence.objects.acreate(student=ann.student, channel="killed")
    connected = database_sync_to_async(presence.connected)
    assert await connected(ann.student.school_class_id) == {ann.student.pk}
    killed.seen = timezone.now() - presence.STALE_AFTER - timedelta(seconds=1)
    await killed.asave()
    assert await connected(ann.student.school_class_id) == set()


@pytest.mark.usefixtures("quick_rereads")
async def test_a_connection_confirms_that_it_is_open(monkeypatch):
    monkeypatch.setattr(presence, "HEARTBEAT", 0)
    ann = await new_student(await new_class())
    async with student_socket(ann):
        await Presence.objects.all().adelete()  # another server took it for stale
        async with asyncio.timeout(TIMEOUT):
            while not await Presence.objects.aexists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
