"""The sequence diagram of a recording."""

import json
import re

from playwright.sync_api import expect
from tests.browser.test_live_panel import CONNECT, DISCONNECT, RECEIVE

DIAGRAM = "What the server recorded, as a diagram"

COPY = """table => {
  const rows = [...table.rows].slice(-3);
  getSelection().setBaseAndExtent(rows[0], 0, rows[2], 6);
  const data = { clipboardData: new DataTransfer(), bubbles: true, cancelable: true };
  const event = new ClipboardEvent("copy", data);
  table.dispatchEvent(event);
  return event.clipboardData.getData("text/plain").split("\\n");
}"""


def labels(page):
    """The labels of the arrows and marks, without queries."""
    return page.page.locator("#diagram .row:not([data-lane=database]) .label")


def converse(visit, key="12-group"):
    page = visit(key)
    page.connect()
    page.send("hello")
    page.expect_browser_log("1 open", '1 message "now playing: hello"')
    page.press("Close")
    page.expect_status("Closed with 1000.")
    page.press("Enlarge")  # the diagram draws visible rows only
    expect(labels(page).last).to_have_text("finished")
    return page


def test_each_event_is_an_arrow_or_a_mark_between_its_lanes(visit):
    page = converse(visit)
    headers = page.page.get_by_role("group", name="Lanes shown").get_by_role("button")
    expect(headers).to_have_text(["client 1", "consumer 1", "layer", "database"])
    expect(labels(page)).to_have_text(
        [
            "scope /ws/layers/group/lobby/",
            "websocket.connect",
            re.compile('^group_add "jukebox": specific'),
            "websocket.accept",
            'websocket.receive "hello"',
            'group_send "jukebox": jukebox.song title: "hello"',
            'jukebox.song title: "hello"',
            'websocket.send "now playing: hello"',
            "websocket.disconnect code: None",
            re.compile('^group_discard "jukebox": specific'),
            "finished",
        ]
    )
    handlers = page.page.locator("#diagram .handler")
    expect(handlers).to_have_text([CONNECT, RECEIVE, "jukebox_song", DISCONNECT])
    expect(page.page.locator("#diagram .bar")).to_have_count(4)


def test_arrow_keys_show_an_event_in_full_and_highlight_its_handler(visit):
    page = converse(visit)
    diagram, details = page.page.get_by_role("slider", name=DIAGRAM), page.page.locator("#details")
    diagram.press("End")
    expect(details.locator("pre")).to_have_text('{"type": "finished"}')
    for key in ("ArrowUp", "ArrowUp"):
        diagram.press(key)
    expect(details.locator("pre")).to_have_text('{"type": "websocket.disconnect", "code": None}')
    expect(details).to_contain_text(f"client 1 → consumer 1 · {DISCONNECT} · MainThread")
    expect(diagram).to_have_attribute("aria-valuetext", re.compile("client 1 to consumer 1"))
    page.expect_highlighted(DISCONNECT)
    diagram.press("Home")
    expect(details.locator("pre")).to_contain_text('"path": "/ws/layers/group/lobby/"')
    expect(page.page.locator("#source .highlighted")).to_have_count(0)


def test_the_pointer_shows_an_event_and_a_click_keeps_it(visit):
    page = converse(visit)
    details, thread = page.page.locator("#details"), page.page.locator("#thread")
    labels(page).nth(4).hover()
    expect(details).to_contain_text('{"type": "websocket.receive", "text": "hello"}')
    page.expect_highlighted(RECEIVE)
    expect(thread).to_have_text("MainThread")
    labels(page).nth(6).click()
    page.page.mouse.move(0, 0)
    expect(details).to_contain_text('{"type": "jukebox.song", "title": "hello"}')
    page.expect_highlighted("jukebox_song")


def test_a_paused_diagram_can_be_stepped_and_scrubbed(visit):
    page = converse(visit)
    scrub, count = page.page.get_by_label("Entries shown"), page.page.locator(".count")
    all_of_them = int(scrub.input_value())
    expect(count).to_have_text(f"{all_of_them} in all")
    page.press("Pause")
    page.press("Enlarge")
    page.connect()
    expect(count).to_have_text(re.compile(f"^{all_of_them} of "))
    expect(labels(page).last).to_have_text("finished")
    page.press("Step back")
    expect(labels(page).last).to_have_text(re.compile("^group_discard"))
    page.expect_highlighted(DISCONNECT)
    scrub.fill("1")
    expect(labels(page)).to_have_text([re.compile("^scope /ws/layers")])
    page.press("Pause")
    expect(labels(page).last).to_have_text("websocket.accept")


def test_a_hidden_lane_hides_its_events(visit):
    page = converse(visit)
    page.press("layer")
    expect(page.page.locator("#diagram .row[data-lane=client]")).not_to_have_count(0)
    expect(page.page.locator("#diagram .row[data-lane=layer]")).to_have_count(0)
    page.press("layer")
    expect(page.page.locator("#diagram .row[data-lane=layer]")).to_have_count(4)


def test_the_next_connection_of_a_client_is_drawn_on_the_same_lanes(visit):
    page = converse(visit)
    page.press("Enlarge")
    page.connect()
    page.press("Enlarge")
    expect(page.page.locator("#diagram .ordinal")).to_have_text(["1", "2"])
    expect(page.page.locator("#diagram .lane-headers button")).to_have_count(4)


def test_a_handler_outside_the_source_does_not_change_the_highlight(visit):
    page = visit("03-stop")
    common = {"lane": "client", "direction": "in", "connection": "a", "thread": "MainThread"}
    events = [
        {**common, "seq": number, "time": number, "message": {"type": "x"}, "handler": handler}
        for number, handler in ((1, CONNECT), (2, "inherited"))
    ]  # in one batch, as a fast server sends them
    text = json.dumps({"connections": [], "events": events})
    file = {"name": "a.json", "mimeType": "application/json", "buffer": text.encode()}
    page.page.get_by_label("A saved transcript").set_input_files(file)
    page.expect_highlighted(CONNECT)


def test_an_address_leads_to_its_event_even_after_a_reload(visit):
    page = converse(visit)
    labels(page).nth(4).click()
    page.page.get_by_role("link", name="Event 1.").click()
    expect(page.page).to_have_url(re.compile(r"#event-1\.\d+$"))
    page.page.reload()
    expect(page.page.locator("#details pre")).to_contain_text('"type": "websocket.receive"')
    page.expect_highlighted(RECEIVE)


def test_after_a_flood_the_last_event_is_visible_and_the_gap_marked(visit):
    page = visit("02-frames")
    page.connect(path="/ws/flood/")
    # All that is kept of a flood has arrived before the next one: together they would lose more.
    for count, least in (("3000", 1000), ("1000", 2000)):
        page.send(count)
        page.page.wait_for_function(
            "least => document.querySelector('[name=scrub]').max > least", arg=least
        )
    page.press("Close")
    page.press("Enlarge")
    expect(labels(page).last).to_have_text("finished")
    expect(labels(page).last).to_be_in_viewport()
    assert int(page.page.get_by_label("Entries shown").input_value()) > 2000
    assert page.page.locator("#diagram .row").count() < 40
    gap = page.page.locator("#events .gap").first
    place = gap.evaluate("row => [...document.querySelectorAll('#events tr')].indexOf(row)")
    page.page.evaluate("place => document.getElementById('diagram').scrollTo(0, 30 * place)", place)
    expect(page.page.locator("#diagram .gap .label")).to_have_text(gap.text_content())


def test_rows_of_the_table_are_copied_with_tabs_between_cells(visit):
    page = converse(visit)
    page.press("Table")
    # The table is loaded and drawn by itself, after the diagram.
    expect(page.page.locator("#events tr").last).to_contain_text("finished")
    copied = page.page.locator("#events").evaluate(COPY)
    assert copied[0].split("\t")[2:4] == ["client 1", "→ websocket.disconnect code: None"]
    assert copied[2].split("\t")[2:5] == ["consumer 1", "· finished", DISCONNECT]


def test_a_filter_shows_the_events_that_have_one_of_its_words(visit):
    page = converse(visit)
    page.press("View")
    page.page.get_by_label("Filter").fill("accept send -layer")
    expect(labels(page)).to_have_text(["websocket.accept", 'websocket.send "now playing: hello"'])
    expect(page.page.locator(".filtered")).to_have_text(re.compile(r"2 of \d+"))
    view = page.page.get_by_role("button", name="View", exact=True)
    expect(view).to_have_attribute("aria-pressed", "true")
    page.page.get_by_label("Filter").fill("")
    expect(labels(page)).to_have_count(11)
    expect(view).to_have_attribute("aria-pressed", "false")


def saved(times):
    """A saved transcript of one connection, with an event at each of these times in seconds."""
    one = {"lane": "client", "direction": "in", "handler": None, "thread": "", "connection": "a"}
    events = [
        one | {"seq": number, "time": at, "message": {"type": f"event.{number}"}, "text": ""}
        for number, at in enumerate(times, start=1)
    ]
    connection = {"connection": "a", "client": "", "server": "", "begun": 0, "recorded": len(times)}
    return {"version": 1, "connections": [connection], "events": events}


def load(page, transcript):
    data = json.dumps(transcript).encode()
    file = {"name": "saved.json", "mimeType": "application/json", "buffer": data}
    page.page.get_by_label("A saved transcript").set_input_files(file)


def test_to_scale_a_wait_takes_space_and_a_very_long_one_is_cut(visit):
    page = visit("03-stop", viewport={"width": 1440, "height": 900})
    load(page, saved([0, 0.001, 3.001, 63.001]))
    times = page.page.locator("#diagram .time")
    expect(times).to_have_text(["0.0 ms", "1.0 ms", "3.001 s", "63.00 s"])

    def tops():
        places = page.page.locator("#diagram .row").evaluate_all(
            "rows => rows.map((row) => row.transform.baseVal[0].matrix.f)"
        )
        return [round(place) for place in places]

    assert tops() == [0, 30, 60, 90]
    page.press("View")
    page.page.get_by_label("To scale").check()
    expect(page.page.locator("#diagram rect.break")).to_have_count(1)
    assert tops() == [0, 30, 240, 510]  # 30 pixels a row, 60 a second, 4 seconds at most
    page.page.get_by_label("Time since the row before").check()
    expect(page.page.locator("#diagram .time:not(.wait)")).to_have_text(
        ["0.0 ms", "1.0 ms", "3.000 s", "60.00 s"]
    )


def test_play_shows_the_recorded_events_again(visit):
    page = visit("03-stop")
    load(page, saved([0, 0.001, 0.002]))
    page.page.get_by_label("Speed").select_option("1")
    count = page.page.locator(".playback .count")
    expect(count).to_have_text("3 in all")
    page.page.evaluate(
        "() => { window.counts = []; new MutationObserver(() => counts.push("
        "document.querySelector('.playback .count').textContent))"
        ".observe(document.querySelector('.playback .count'), {childList: true}); }"
    )
    page.press("Play")
    page.page.wait_for_function("() => counts.includes('3 in all')")
    assert page.page.evaluate("() => counts[0]") == "0 of 3"
    expect(page.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.page.get_by_label("Speed").select_option("steady")
    page.page.evaluate(  # Stop right after the first event: the next one comes after 0.7 s
        """() => {
            const [count, button] = [".count", "[name=play]"]
                .map((it) => document.querySelector(`.playback ${it}`));
            new MutationObserver(() => {
                if (count.textContent === "1 of 3" && button.textContent === "Stop") button.click();
            }).observe(count, { childList: true });
            button.click();
        }"""
    )
    expect(count).to_have_text("1 of 3")
    expect(page.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
