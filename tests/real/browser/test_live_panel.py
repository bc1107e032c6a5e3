"""The live panel of a lesson's page, in a real browser against a real Daphne."""

from playwright.sync_api import expect


def test_a_conversation_is_shown_as_the_browser_and_as_the_server_saw_it(visit):
    page = visit("01-accept").show("See")
    page.connect(path="/ws/sync/accept/", state="refused")
    page.expect_status("Rejected with HTTP 403. The browser reports 1006.")
    page.errors.clear()
    page.menu("Clear")
    page.connect(path="/ws/sync/accept/?name=ada")
    page.expect_drawn("Welcome, ada.")
    page.send("hello")
    page.expect_highlighted("websocket_receive")
    page.fill("Close code", "4001")
    page.press("Options of client 1")
    page.press("Close")
    # Daphne answers with 1000, whatever the code was.
    page.expect_status("Closed: the browser reports 1000.")
    page.expect_highlighted("websocket_disconnect")
    page.expect_events(
        "→ websocket.connect",
        "← websocket.accept",
        '← websocket.send text: "Welcome, ada."',
        '→ websocket.receive text: "hello"',
        "→ websocket.disconnect code: 4001",
        "· finished",
    )
    page.page.set_viewport_size({"width": 1280, "height": 1400})  # visible rows only are drawn
    page.page.locator("#diagram .row .label").nth(2).click()
    lit = page.page.locator("#source .highlighted")
    expect(lit).to_have_count(1)  # the line that sent this event
    expect(lit).to_contain_text("websocket.accept")
    details = page.page.locator("#details pre")
    expect(details).to_contain_text('"type": "websocket.accept"')
    page.page.get_by_role("slider", name="What the server recorded, as a diagram").press("Home")
    expect(details).to_contain_text("[hidden]")
    assert page.page.context.cookies()[0]["value"] not in page.page.content()
    page.menu("Clear")
    expect(page.page.locator("#diagram .row")).to_have_count(0)


def test_text_bytes_and_empty_frames_are_recorded_and_markup_is_text(visit):
    page = visit("02-frames").show("See")
    page.connect()
    shown, markup = [], "<img src=x onerror=alert(1)>"
    for typed, recorded in (
        ("grüße", 'text: "grüße"'),
        ("00 ff", r"bytes: b'\x00\xff'"),
        ("", 'text: ""'),
        (markup, f'text: "{markup}"'),
    ):
        page.send(typed, kind=recorded.partition(":")[0])
        shown += [f"→ websocket.receive {recorded}", f"← websocket.send {recorded}"]
    page.expect_events("→ websocket.connect", "← websocket.accept", *shown)
    assert page.page.locator("#panel img:not([role])").count() == 0


def test_clients_of_a_group_share_a_message_and_one_can_vanish_or_be_removed(visit):
    page = visit("12-group").show("See")
    page.menu("Add a client")
    for client in (1, 2, 3):
        page.connect(client=client)
    page.send("hello", client=3)
    page.expect_drawn('"now playing: hello"', count=3)
    labels = page.page.locator("#diagram .label")
    page.press("Options of client 2")
    page.press("Remove client 2")
    expect(page.client(2)).to_have_count(0)
    expect(labels.filter(has_text="websocket.disconnect code: None")).to_have_count(1)
    page.press("Options of client 3")
    page.press("Lose the connection", client=3)
    expect(labels.filter(has_text="websocket.disconnect code: 1006")).to_have_count(1)
    expect(labels.filter(has_text="finished")).to_have_count(2)
    diagram = page.page.get_by_role("slider", name="What the server recorded, as a diagram")
    diagram.press("End")
    expect(page.page.locator("#details pre")).to_have_text('{"type": "finished"}')


def test_a_request_and_a_stream_are_shown_until_the_client_leaves(visit):
    page = visit("08-http").show("See")
    page.choose("Method", "POST")
    page.fill("Path and query", "/async/http/length/")
    page.fill("Body of a POST", "hello world")
    page.press("Send")
    page.expect_status("HTTP 200, complete.")
    page.expect_drawn("11 bytes")
    page.menu("Clear")
    page.choose("Method", "GET")
    page.fill("Path and query", "/async/http/")
    page.press("Send")
    page.expect_drawn("data: beat 1")
    page.press("Leave")
    page.expect_status("You have left.")
    expect(page.page.locator("#diagram .label").nth(-2)).to_have_text("http.disconnect")
