"""The clients of a lesson's page: who they are, what they can do, and what is taken away of it."""

import json

from playwright.sync_api import expect

PHONE = {"viewport": {"width": 390, "height": 844}}


def recorded(page, kind):
    """The table's rows with events of that type."""
    return page.page.locator("#events tr").filter(has_text=kind)


def test_clients_come_and_go_and_one_vanishes_without_a_close_frame(visit):
    page = visit("12-group")
    page.press("Add a client")
    for client in (1, 2, 3):
        page.connect(client=client)
    page.send("hello", client=3)
    for client in (1, 2, 3):
        heard = page.page.locator("#browser-log li").filter(has_text=f'{client} message "hello"')
        expect(heard).to_have_count(1)
    page.press("Remove client 2")
    expect(page.client(2)).to_have_count(0)
    expect(recorded(page, "websocket.disconnect code: None")).to_have_count(1)
    page.press("Vanish", client=3)
    page.expect_status("Vanished, without a close frame.", client=3)
    expect(recorded(page, "websocket.disconnect code: 1006")).to_have_count(1)
    page.press("Add a client")
    page.connect(client=2)
    page.press("Client 2", client=2)
    expect(page.client(2).get_by_label("Payload")).to_be_hidden()
    page.press("Add a client")
    expect(page.page.get_by_role("button", name="Add a client")).to_be_disabled()


def test_json_is_looked_at_before_it_is_sent_and_may_go_as_text(visit):
    page = visit("09-generic")
    page.connect()
    page.send('{"command": list}', kind="json")
    expect(page.status()).to_contain_text("Not JSON: ")
    page.send('{"command": "list"}', kind="json")
    page.send('{"command": list}')
    expect(recorded(page, "websocket.receive")).to_have_count(2)


def test_who_a_client_is_and_whose_page_it_is_on_decides_who_is_let_in(visit):
    page = visit("17-origin")
    page.connect()
    page.connect(client=2, state="refused")
    page.expect_browser_log(
        "1 open", '1 message "Letters for student: 3"', "2 close code 1006, not clean"
    )
    page.choose("Page", "this page", client=2)
    page.choose("Who", "anonymous", client=2)
    page.connect(client=2, state="closed")
    page.expect_status("Closed with 4401.", client=2)
    page.errors.clear()


def test_a_dialog_exports_the_conversation_as_a_test(visit):
    page = visit("02-frames")
    page.press("Export as a test")
    dialog = page.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nothing has been played yet")
    page.page.keyboard.press("Escape")
    page.connect()
    page.send("grüße")
    page.send("", kind="bytes")
    page.press("Vanish")
    page.press("Export as a test")
    source = dialog.get_by_role("region", name="The test")
    for line in (
        'await client_1.send_input({"type": "websocket.receive", "text": "grüße"})',
        'await client_1.send_input({"type": "websocket.receive", "bytes": b""})',
        'await client_1.send_input({"type": "websocket.disconnect", "code": 1006})',
    ):
        expect(source).to_contain_text(line)
    with page.page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "test_played_02_frames.py"
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog).to_contain_text("Copied.")
    copied = page.page.evaluate("navigator.clipboard.readText()")
    assert copied == source.text_content() == download.value.path().read_text(encoding="utf-8")
    page.errors.clear()  # the browser tells the console of the answer 400


def test_a_transcript_is_saved_and_loaded_and_a_broken_one_changes_nothing(visit):
    page = visit("02-frames")
    page.connect()
    page.send("<b>kept</b>")
    page.press("Close")
    rows = page.page.locator("#events tr")
    expect(rows.last).to_contain_text("finished")
    told = rows.all_text_contents()
    with page.page.expect_download() as download:
        page.press("Save")
    saved = download.value.path().read_text(encoding="utf-8")
    assert json.loads(saved)["lesson"] == "02-frames"

    def load(text):
        file = {"name": "a.json", "mimeType": "application/json", "buffer": text.encode()}
        page.page.get_by_label("A saved transcript").set_input_files(file)

    for text in (saved[:-9], '{"events": [1]}'):
        load(text)
        expect(page.page.locator("#file-status")).to_contain_text(
            "a.json is not a saved transcript."
        )
        assert rows.all_text_contents() == told
    page.press("Clear")
    expect(rows).to_have_count(0)
    load(saved)
    expect(rows).to_have_text(told)


def test_on_a_phone_clients_stand_one_under_another(visit):
    page = visit("12-group", **PHONE)
    first, second = (page.client(client).bounding_box() for client in (1, 2))
    assert first["x"] == second["x"]
    assert second["y"] > first["y"] + first["height"]
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
