"""`manage.py cluster` as a user starts it, and a page with a client on each of its servers."""

import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import READY

from lessons.workshop.course.lesson_index import PROJECT_DIR

TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long
START_TIMEOUT = 120  # seconds for the start of all processes of a cluster


@pytest.fixture
def cluster(tmp_path, redis_binaries):
    """The addresses of its two web servers. At the end, Ctrl-C ends all of its processes."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.support.servers.browser_settings",
        "WORKSHOP_STATE_DIR": str(tmp_path),
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "cluster", "--port", "0"],
        cwd=PROJECT_DIR, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    )  # fmt: skip
    with process:
        try:
            addresses = read_addresses(process)
            drain = threading.Thread(target=process.stdout.read, daemon=True)
            drain.start()
            parts = psutil.Process(process.pid).children(recursive=True)
            yield addresses
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(TEST_TIMEOUT) == 130
            assert psutil.wait_procs(parts, TEST_TIMEOUT)[1] == []
            drain.join(TEST_TIMEOUT)
            assert not drain.is_alive()
        finally:
            process.kill()  # the other processes of the cluster end with this one


def read_addresses(process):
    """Read the output of the cluster until both servers are ready. Returns their addresses."""
    timer = threading.Timer(START_TIMEOUT, process.kill)  # then the output ends
    timer.start()
    output, addresses = "", []
    try:
        while len(addresses) < 2:
            line = process.stdout.readline()
            assert line, f"never ready:\n{output}"
            output += line
            _, is_ready, address = line.partition(READY)
            if is_ready:
                addresses.append(address.strip().rstrip("/"))
    finally:
        timer.cancel()
    return addresses


def test_a_page_shows_what_two_servers_record_of_its_clients(page_at, cluster):
    here, there = (address.rpartition("127.0.0.1")[2] for address in cluster)
    page = page_at(cluster[0]).open("14-redis")
    for client in (1, 2):
        page.connect(client=client)
    page.expect_browser_log(f"1 {here} open", f"2 {there} open")
    page.send("fire")
    log, rows = page.page.locator("#browser-log li"), page.page.locator("#events tr")
    for number, server in ((1, here), (2, there)):
        expect(log.filter(has_text=f'{number} {server} message "alarm: fire"')).to_have_count(1)
        of_layer = rows.filter(has_text=f"layer {number} {server}")
        expect(of_layer.filter(has_text="→ siren.alarm")).to_have_count(1)
    page.press("Close", client=2)
    page.expect_status("Closed with 1000.", client=2)
    page.expect_status("Open.")
