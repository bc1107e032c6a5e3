"""What NOTES.md says about the progress of long work in processes without a socket."""

import os
import subprocess
import sys

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.conversation import play
from tests.notes.sample_project.progress import copy_all
from tests.support.programs.running_program import TEST_TIMEOUT

# What Celery's prefork does: the parent has used the layer, then each child does.
FORKED = """
import os, sys
from asgiref.sync import async_to_sync
from channels_redis.core import RedisChannelLayer

layer = RedisChannelLayer([{"address": sys.argv[1], "socket_timeout": None}], "forked-")
send = async_to_sync(layer.group_send)
send("room", {"type": "room.message"})
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
send("room", {"type": "room.message"})
os._exit(7)
"""


@pytest.mark.parametrize("count", [1, 3, 100, 1050])
def test_a_long_task_reports_each_whole_percent_once(count):
    copied, reported = [], []
    copy_all(range(count), copied.append, reported.append)
    assert copied == [*range(count)]
    assert reported == sorted({*reported})
    assert reported[-1] == 100
    assert len(reported) == min(count, 100)


@pytest.mark.parametrize(
    ("target", "texts"), [("solution", ["0 %", "40 %"]), ("mistake:RepeatsTheReport", ["0 %"])]
)
def test_repeating_the_whole_report_loses_its_message(target, texts):
    outage = "redis outside gone", "call report [1, 40]", "redis back", "wait 2"
    steps = ['row layers_demo.Job {"id": 1}', "connect", *outage]
    events = play(find("outside"), target, steps)
    assert [event.message["text"] for event in events if "text" in event.message] == texts


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_uses_the_layer_that_its_parent_has_used(redis_url):
    command = [sys.executable, "-W", "ignore", "-c", FORKED, redis_url]
    assert subprocess.run(command, timeout=TEST_TIMEOUT).returncode == 7
