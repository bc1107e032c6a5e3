"""What Sentry reports of a consumer: with its defaults, with its middleware, with a mixin."""

import http.client
import json
from importlib.util import find_spec

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram
from tests.support.programs.server_probes import open_client
from tests.support.required_programs import skip_or_fail

PAGE = ["transaction", "/page/", "ok", []]  # the last report of each conversation


@pytest.fixture(scope="module", autouse=True)
def sentry():
    if find_spec("sentry_sdk") is None:
        skip_or_fail("There is no sentry_sdk: pip install --require-hashes -r .ci/extras.txt")


class SentryDaphne(RunningProgram):
    """A Daphne with Sentry and these cures."""

    def __init__(self, *cures):
        super().__init__("tests.support.programs.sentry_daphne", *cures)

    def wait_until_ready(self):
        self.port = int(self.wait_for_line("port "))

    def get_page(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TEST_TIMEOUT)
        connection.request("GET", "/page/")
        assert connection.getresponse().status == 200
        connection.close()

    def reports(self):
        """All reports until that of the page."""
        reports = []
        while PAGE not in reports:
            reports.append(json.loads(self.wait_for_line("report ")))
        return reports


def reports_of_a_conversation(path, *cures):
    """One client is answered and leaves. The consumer of another fails. A third gets a page."""
    with SentryDaphne(*cures) as server:
        with open_client(server, path) as client:
            client.send("hello")
            assert client.recv(TEST_TIMEOUT) == "hello"
        server.wait_for_line("over")
        with open_client(server, path) as client:
            client.send("fail")
            with pytest.raises(ConnectionClosed):
                client.recv(TEST_TIMEOUT)
            assert client.close_code == 1011
        server.get_page()
        url = f"ws://127.0.0.1:{server.port}{path}"
        return url, server.reports()


paths = pytest.mark.parametrize("path", ["/async", "/sync"])


@paths
def test_sentry_reports_only_the_exceptions_that_daphne_logs(path):
    _, reports = reports_of_a_conversation(path)
    assert reports == [["event", ["KeyError"], "daphne.server", None], PAGE]


@paths
def test_sentrys_middleware_reports_each_connection_and_the_path_of_an_exception(path):
    url, reports = reports_of_a_conversation(path, "middleware", "ignore_logger")
    assert reports == [
        ["transaction", url, None, ["hello"]],
        ["event", ["KeyError"], None, url],
        ["transaction", url, "internal_error", ["fail"]],
        PAGE,
    ]


def test_without_ignore_logger_sentry_reports_an_exception_twice():
    url, reports = reports_of_a_conversation("/async", "middleware")
    assert [report for report in reports if report[0] == "event"] == [
        ["event", ["KeyError"], None, url],
        ["event", ["KeyError"], "daphne.server", None],
    ]


@paths
def test_the_mixin_reports_each_event_as_a_transaction_of_sentry(path):
    echo = {"/async": "AsyncEcho", "/sync": "SyncEcho"}[path]
    url, reports = reports_of_a_conversation(path, "mixin", "middleware", "ignore_logger")
    assert reports == [
        ["transaction", f"{echo} websocket.connect", None, []],
        ["transaction", f"{echo} websocket.receive", None, ["hello"]],
        ["transaction", f"{echo} websocket.disconnect", None, []],
        ["transaction", url, None, []],
        ["transaction", f"{echo} websocket.connect", None, []],
        ["transaction", f"{echo} websocket.receive", None, ["fail"]],
        ["event", ["KeyError"], None, url],
        ["transaction", url, "internal_error", []],
        PAGE,
    ]


def test_the_mixin_keeps_the_spans_of_two_events_apart():
    with (
        SentryDaphne("mixin") as server,
        open_client(server, "/async") as ada,
        open_client(server, "/async") as bob,
    ):
        ada.send("meet ada")
        bob.send("meet bob")
        assert ada.recv(TEST_TIMEOUT) == "meet ada"
        assert bob.recv(TEST_TIMEOUT) == "meet bob"
        server.get_page()
        spans = [spans for *_, spans in server.reports()]
    assert sorted(filter(None, spans)) == [["meet ada"], ["meet bob"]]
