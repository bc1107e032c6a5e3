"""The sequence diagram of what the server recorded, and the store that it draws."""

import json
import re

from playwright.sync_api import expect

from tests.browser.test_live_panel import CONNECT, DISCONNECT, RECEIVE

DIAGRAM = "What the server recorded, as a diagram"
# Events of two connections, the second's batch after the first's though it was recorded meanwhile,
# and what becomes of them on the way through a file.
TWO_CONNECTIONS = """async () => {
  const { Transcript } = await import("/static/lessons/diagram/transcript.js");
  const event = (connection, seq, time) => ({
    connection, seq, time, lane: "client", direction: "in", message: { type: "x" },
    handler: null, thread: "MainThread",
  });
  const one = new Transcript();
  one.add({ recorded: 3, events: [event("a", 1, 1), event("a", 3, 3)] }, { client: "ada" });
  one.add({ recorded: 4, events: [event("b", 1, 2), event("b", 2, 4)] }, { client: "eve" });
  const two = Transcript.from(JSON.parse(JSON.stringify(one)));
  const shown = ({ entries }) => entries.map(
    (entry) => `${entry.of.client} ${entry.count ?? Transcript.idOf(entry)}`);
  return [shown(one), shown(two), one.lost];
}"""

# When each of two drawings was made that were asked for at once; in a frame, time stands still.
TURNS = """async () => {
  const { queueFrame } = await import("/static/lessons/common/dom.js");
  const drawn = (who) =>
    new Promise((done) => queueFrame(who, () => done(document.timeline.currentTime)));
  return Promise.all([drawn({}), drawn({})]);
}"""

COPY = """table => {
  const rows = [...table.rows].slice(-3);
  getSelection().setBaseAndExtent(rows[0], 0, rows[2], 6);
  const data = { clipboardData: new DataTransfer(), bubbles: true, cancelable: true };
  const event = new ClipboardEvent("copy", data);
  table.dispatchEvent(event);
  return event.clipboardData.getData("text/plain").split("\\n");
}"""


def labels(page):
    """What stands at the arrows and marks, but for queries."""
    return page.page.locator("#diagram .row:not([data-lane=database]) .label")


def converse(visit, key="12-group"):
    page = visit(key)
    page.connect()
    page.send("hello")
    page.expect_browser_log("1 open", '1 message "hello"')
    page.press("Close")
    page.expect_status("Closed with 1000.")
    page.press("Enlarge")  # all rows are in view then, and so drawn
    expect(labels(page).last).to_have_text("finished")
    return page


def test_each_event_is_an_arrow_or_a_mark_between_its_lanes(visit):
    page = converse(visit)
    heads = page.page.get_by_role("group", name="Lanes shown").get_by_role("button")
    expect(heads).to_have_text(["client 1", "consumer 1", "layer", "database"])
    expect(labels(page)).to_have_text(
        [
            "scope /ws/layers/group/lobby/",
            "websocket.connect",
            re.compile('^group_add "room-lobby": specific'),
            "websocket.accept",
            'websocket.receive "hello"',
            'group_send "room-lobby": room.message text: "hello"',
            'room.message "hello"',
            'websocket.send "hello"',
            "websocket.disconnect code: None",
            re.compile('^group_discard "room-lobby": specific'),
            "finished",
        ]
    )
    handlers = page.page.locator("#diagram .handler")
    expect(handlers).to_have_text([CONNECT, RECEIVE, "room_message", DISCONNECT])
    expect(page.page.locator("#diagram .bar")).to_have_count(4)


def test_arrow_keys_show_an_event_in_full_and_light_up_its_handler(visit):
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
    expect(page.page.locator(".line.highlighted")).to_have_count(0)


def test_the_pointer_shows_what_is_under_it_and_a_click_keeps_it(visit):
    page = converse(visit)
    details, thread = page.page.locator("#details"), page.page.locator("#thread")
    labels(page).nth(4).hover()
    expect(details).to_contain_text('{"type": "websocket.receive", "text": "hello"}')
    page.expect_highlighted(RECEIVE)
    expect(thread).to_have_text("MainThread")
    labels(page).nth(6).click()
    page.page.mouse.move(0, 0)
    expect(details).to_contain_text('{"type": "room.message", "text": "hello"}')
    page.expect_highlighted("room_message")


def test_a_paused_diagram_waits_and_is_stepped_and_scrubbed(visit):
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


def test_a_lane_that_is_switched_off_takes_its_events_along(visit):
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


def test_a_handler_that_does_not_stand_in_the_source_leaves_lit_what_ran_before(visit):
    page = visit("03-stop")
    common = {"lane": "client", "direction": "in", "connection": "a", "thread": "MainThread"}
    events = [
        {**common, "seq": number, "time": number, "message": {"type": "x"}, "handler": handler}
        for number, handler in ((1, CONNECT), (2, "inherited"))
    ]  # at once, as they come from a server in haste
    text = json.dumps({"connections": [], "events": events})
    file = {"name": "a.json", "mimeType": "application/json", "buffer": text.encode()}
    page.page.get_by_label("A saved transcript").set_input_files(file)
    page.expect_highlighted(CONNECT)


def test_an_address_leads_to_an_event_after_a_reload_too(visit):
    page = converse(visit)
    labels(page).nth(4).click()
    page.page.get_by_role("link", name="Event 1.").click()
    assert re.search(r"#event-1\.\d+$", page.page.url)
    page.page.reload()
    expect(page.page.locator("#details pre")).to_contain_text('"type": "websocket.receive"')
    page.expect_highlighted(RECEIVE)


def test_a_flood_ends_with_its_last_event_in_view_and_shows_its_gap(visit):
    page = visit("02-frames")
    page.connect(path="/ws/flood/")
    for count, least in (("3000", 900), ("1000", 1900)):
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
    page.page.evaluate("place => document.getElementById('diagram').scrollTo(0, 28 * place)", place)
    expect(page.page.locator("#diagram .gap .label")).to_have_text(gap.text_content())


def test_rows_of_the_table_are_copied_with_their_cells_side_by_side(visit):
    page = converse(visit)
    page.press("Table")
    copied = page.page.locator("#events").evaluate(COPY)
    assert copied[0].split("\t")[2:4] == ["client 1", "→ websocket.disconnect code: None"]
    assert copied[2].split("\t")[2:5] == ["consumer 1", "· finished", DISCONNECT]


def test_a_time_has_four_digits_at_most(visit):
    times = """async () => {
      const { formatTime } = await import("/static/lessons/diagram/event_text.js");
      return [0.0123, 0.123, 1.2345, 12.345, 123.45].map(formatTime);
    }"""
    expected = ["12.3 ms", "123 ms", "1.234 s", "12.35 s", "123 s"]
    assert visit("02-frames").page.evaluate(times) == expected


def test_events_of_two_connections_stand_in_the_order_of_time(visit):
    page = visit("01-accept")
    shown, again, lost = page.page.evaluate(TWO_CONNECTIONS)
    assert shown == ["ada 1.1", "eve 2.1", "ada 1", "ada 1.3", "eve 2.2", "eve 2"]
    assert again == shown
    assert lost == 3


def test_diagram_and_table_are_never_drawn_in_one_frame(visit):
    first, second = visit("01-accept").page.evaluate(TURNS)
    assert first < second


def test_what_is_no_transcript_is_not_taken_for_one(visit):
    read = """async file => {
      const { Transcript } = await import("/static/lessons/diagram/transcript.js");
      try { Transcript.from(JSON.parse(file)); } catch ({ message }) { return message; }
    }"""
    page = visit("01-accept").page
    for file in ("null", '{"events": [], "connections": 1}', "[1]"):
        assert page.evaluate(read, file) == "This is not a transcript."
