"""The live panel of a lesson's page, in a real browser against a real Daphne."""

import re

import pytest
from playwright.sync_api import expect

from lessons.workshop.course.lesson_index import lessons

CONNECT, RECEIVE, DISCONNECT = (
    f"websocket_{name}" for name in ("connect", "receive", "disconnect")
)


# Lessons 18 and 24 need a ticket or a token, which a page cannot know in advance.
OVER_WEBSOCKET = [
    lesson.key
    for lesson in lessons()
    if lesson.path.startswith("/ws/") and lesson.slug not in {"ticket", "token"}
]


@pytest.mark.parametrize("key", OVER_WEBSOCKET)
def test_every_lesson_connects_with_the_values_of_its_page(visit, key):
    page = visit(key)
    page.choose("User", "student")
    page.connect()
    # The chat notifies its room after each accept, so its own message comes last.
    page.expect_highlighted("chat_presence" if key == "23-chat" else CONNECT)
    page.press("Close")
    expect(page.page.locator("#events tr").last).to_contain_text("finished")
    page.expect_highlighted(DISCONNECT)
    numbers = page.numbers()
    assert numbers == list(range(1, len(numbers) + 1))


def test_accept_shows_the_handshake_and_a_frame(visit):
    page = visit("01-accept")
    page.connect()
    page.expect_status("Open.")
    page.expect_browser_log("open", 'message "Welcome, ada."')
    page.send("hello")
    page.expect_highlighted(RECEIVE)
    assert page.highlighted_lines()[0] == "    def websocket_receive(self, event):\n"
    page.press("Close")
    page.expect_status("Closed with 1000.")
    rows = page.page.locator("#events tr:not([data-lane=database]):not(.first)")
    expect(rows.locator("td:nth-child(4)")).to_have_text(
        [
            "→ websocket.connect",
            "← websocket.accept",
            '← websocket.send text: "Welcome, ada."',
            '→ websocket.receive text: "hello"',
            "→ websocket.disconnect code: None",
            "· finished",
        ]
    )
    threads = rows.locator("td:nth-child(6)").all_text_contents()
    assert all(thread.startswith("ThreadPoolExecutor") for thread in threads)


def test_accept_shows_the_chosen_subprotocol(visit):
    page = visit("01-accept")
    page.connect(path="/ws/sync/subprotocol/", subprotocols="chat, door.v1")
    page.expect_status("Open, subprotocol door.v1.")
    page.expect_browser_log("open subprotocol: door.v1")
    page.press("Table")
    expect(page.page.locator("#events tr.first details summary")).to_contain_text(
        "/ws/sync/subprotocol/  subprotocols: chat, door.v1  origin: http://"
    )


def test_a_group_message_is_recorded_when_sent_and_when_handled(visit):
    page = visit("12-group")
    page.connect()
    page.send("hello")
    page.expect_browser_log("1 open", '1 message "now playing: hello"')
    page.press("Close")
    page.expect_status("Closed with 1000.")
    rows = page.page.locator("#events tr[data-lane=layer]")
    expect(rows.locator("td:nth-child(4)")).to_have_text(
        [
            re.compile(r'^← group_add "jukebox": specific[\w.]*![A-Za-z]+$'),
            '← group_send "jukebox": jukebox.song title: "hello"',
            '→ jukebox.song title: "hello"',
            re.compile(r'^← group_discard "jukebox": specific'),
        ]
    )
    expect(rows.locator("td:nth-child(5)")).to_have_text(
        [CONNECT, RECEIVE, "jukebox_song", DISCONNECT]
    )


def test_the_scope_can_be_opened_and_hides_its_cookie(visit):
    page = visit("01-accept")
    page.connect()
    page.press("Table")
    scope = page.page.locator("#events tr.first details")
    expect(scope.locator("summary")).to_contain_text("/ws/sync/accept/?name=ada  origin: http://")
    scope.locator("summary").click()
    expect(scope.locator("pre")).to_contain_text("[hidden]")
    session = page.page.context.cookies()[0]["value"]
    assert session not in page.page.content()


def test_a_rejection_is_1006_in_the_browser_and_a_close_on_the_server(visit):
    page = visit("01-accept")
    page.connect(path="/ws/sync/accept/", state="refused")
    page.expect_status("Rejected with HTTP 403. The browser reports 1006.")
    page.expect_browser_log("close code 1006, not clean")
    rows = page.page.locator("#events tr:not([data-lane=database]):not(.first) td:nth-child(4)")
    expect(rows).to_have_text(
        [
            "→ websocket.connect",
            "← websocket.close",
            "→ websocket.disconnect code: 1006",
            "· finished",
        ]
    )
    (error,) = page.errors
    assert error.endswith("Error during WebSocket handshake: Unexpected response code: 403")
    page.errors.clear()


def test_an_exception_before_the_accept_is_reported_as_500(visit):
    page = visit("01-accept")
    page.connect(path="/ws/no/such/path/", state="refused")
    page.expect_status("Exception: HTTP 500. The browser reports 1006.")
    expect(page.page.locator("#events tr").last).to_contain_text("raised ValueError: No route")
    assert page.highlighted_lines() == []
    (error,) = page.errors
    assert error.endswith("Unexpected response code: 500")
    page.errors.clear()


def test_text_and_binary_frames_are_echoed_unchanged(visit):
    page = visit("02-frames")
    page.connect()
    page.send("grüße")
    page.send("00 ff", kind="bytes")
    page.expect_browser_log("open", 'message "grüße"', "message bytes 00 ff")
    rows = page.page.locator("#events tr[data-lane=client]:not(.first) td:nth-child(4)")
    expect(rows).to_have_text(
        [
            "→ websocket.connect",
            "← websocket.accept",
            '→ websocket.receive text: "grüße"',
            '← websocket.send text: "grüße"',
            "→ websocket.receive bytes: b'\\x00\\xff'",
            "← websocket.send bytes: b'\\x00\\xff'",
        ]
    )


def test_an_empty_frame_arrives_and_its_empty_reply_does_not(visit):
    page = visit("02-frames")
    page.connect()
    page.send("", "text")
    page.send("", "bytes")
    page.send("last")
    page.expect_browser_log("open", 'message "last"')
    rows = page.page.locator("#events tr[data-lane=client] td:nth-child(4)")
    for first, shown in ((3, 'text: ""'), (5, "bytes: b''")):
        expect(rows.nth(first)).to_have_text(f"→ websocket.receive {shown}")
        expect(rows.nth(first + 1)).to_have_text(f"← websocket.send {shown}")


def test_a_close_arrives_with_its_code_or_without_one(visit):
    page = visit("03-stop")
    rows = page.page.locator("#events tr[data-lane=client] td:nth-child(4)")
    for code, arrives in (("4001", "4001"), ("", "None")):
        page.connect()
        page.expect_highlighted(CONNECT)
        page.fill("Close code", code)
        page.press("Close")
        page.expect_status("Closed with 1000.")  # Daphne's own answer, whatever the code was
        expect(rows.last).to_have_text(f"→ websocket.disconnect code: {arrives}")
        page.expect_highlighted(DISCONNECT)


def test_a_close_by_the_server_is_shown_by_browser_and_recorder(visit):
    page = visit("03-stop")
    page.connect()
    page.send("bye")
    page.expect_status("Closed with 1000.")
    expect(page.page.locator("#browser-log li")).to_contain_text(
        ["open", 'message "Goodbye."', "close code 1000"]
    )
    rows = page.page.locator("#events tr:not([data-lane=database]) td:nth-child(4)")
    expect(rows).to_contain_text(["← websocket.close code: 1000", "· finished"])


def test_the_turnstile_counts(visit):
    page = visit("04-communicator")
    page.connect()
    page.send("in")
    page.send("in")
    page.send("out")
    page.expect_browser_log(
        "open", 'message "1 inside"', 'message "2 inside"', 'message "1 inside"'
    )


def test_a_second_connection_follows_the_first_in_the_table(visit):
    page = visit("03-stop")
    page.connect()
    page.press("Close")
    page.expect_status("Closed with 1000.")
    page.connect()
    expect(page.page.locator("#events tr.first")).to_have_count(2)
    # Events that arrive after a Clear are shown.
    expect(page.page.locator("#events tr").last).to_contain_text("websocket.accept")
    page.press("Clear")
    expect(page.page.locator("#events tr")).to_have_count(0)
    expect(page.page.locator("#browser-log li")).to_have_count(0)


def test_the_table_appears_once_a_restarted_server_is_back(visit):
    page = visit("03-stop", reduced_motion="reduce")
    page.page.route("**/event_table.js", lambda route: route.abort("connectionrefused"), times=1)
    page.connect()
    page.press("Close")
    expect(page.page.locator("#events tr").last).to_contain_text("finished")
    assert page.errors == ["Failed to load resource: net::ERR_CONNECTION_REFUSED"]
    page.errors.clear()


def test_input_that_the_browser_rejects_is_explained(visit):
    page = visit("03-stop")
    page.connect(path="ws/", state="wrong")
    page.expect_status("A path begins with a slash.")
    page.connect(path="/ws/sync/stop/", subprotocols="a a", state="wrong")
    expect(page.status()).to_contain_text("uplicate")
    page.connect(subprotocols="")
    page.send("0", kind="bytes")
    page.expect_status("Bytes are pairs of hex digits, such as 00 ff.")
    page.fill("Close code", "1001")
    page.press("Close")
    expect(page.status()).to_contain_text("1000")
    page.fill("Close code", "soon")
    page.press("Close")
    page.expect_status("A close code is a number.")


def test_markup_in_a_frame_is_shown_as_text(visit):
    page = visit("02-frames")
    markup = '<script>document.title = "broken in"</script><img src=x onerror=alert(1)>'
    page.connect()
    page.send(markup)
    expect(page.page.locator("#browser-log li").last).to_contain_text("<script>document.title")
    expect(page.page.locator("#events")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.page.locator("#panel script, #panel img:not([role])").count() == 0
    assert page.page.title() != "broken in"


def test_a_feed_id_is_useless_in_another_browser_session(visit):
    first, second = visit("02-frames"), visit("02-frames")
    panel = first.page.locator("#panel")
    paths = [
        panel.get_attribute("data-feed"),
        panel.get_attribute("data-watched") + "/client=1/ws/x/",
    ]
    results = second.page.evaluate(
        """paths => Promise.all(paths.map(path => new Promise(resolve => {
            const socket = new WebSocket(`ws://${location.host}${path}`);
            socket.onopen = () => resolve("open");
            socket.onclose = ({ code }) => resolve(code);
        })))""",
        paths,
    )
    assert results == [1006, 1006]
    assert len(second.errors) == 2
    second.errors.clear()


def test_events_that_the_feed_drops_are_shown_as_a_gap(visit):
    page = visit("02-frames")
    page.connect(path="/ws/flood/")
    page.send("3000")
    page.press("Close")
    expect(page.page.locator("#events tr").last).to_contain_text("finished")
    expect(page.page.locator("#events .gap")).to_have_count(1)
    shown = page.page.locator("#events tr:not(.gap)").count()
    lost = int(page.page.locator("#lost-events").text_content().partition(" ")[0])
    number = int(page.page.locator("#events tr").last.locator("td").first.text_content())
    assert number > 3000
    assert lost > 1500
    assert shown + lost == number
