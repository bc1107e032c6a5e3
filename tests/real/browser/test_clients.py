"""The clients of a lesson's page: identities, actions, saved transcripts and the exported test."""

import json

from playwright.sync_api import expect

PHONE = {"viewport": {"width": 390, "height": 844}}


def rows_of(page, kind):
    """The rows of the table with events of that type."""
    return page.page.locator("#events tr").filter(has_text=kind)


def test_clients_can_be_added_and_removed_and_can_vanish(visit):
    page = visit("12-group")
    page.press("Add a client")
    for client in (1, 2, 3):
        page.connect(client=client)
    page.send("hello", client=3)
    for client in (1, 2, 3):
        log = page.page.locator("#browser-log li")
        lines = log.filter(has_text=f'{client} message "now playing: hello"')
        expect(lines).to_have_count(1)
    page.press("Remove client 2")
    expect(page.client(2)).to_have_count(0)
    expect(rows_of(page, "websocket.disconnect code: None")).to_have_count(1)
    page.press("Vanish", client=3)
    page.expect_status("Vanished, without a close frame.", client=3)
    expect(rows_of(page, "websocket.disconnect code: 1006")).to_have_count(1)
    page.press("Add a client")
    page.connect(client=2)
    page.press("Client 2", client=2)
    expect(page.client(2).get_by_label("Payload")).to_be_hidden()
    page.press("Add a client")
    expect(page.page.get_by_role("button", name="Add a client")).to_be_disabled()


def test_invalid_json_is_sent_as_text_only(visit):
    page = visit("09-generic")
    page.connect()
    page.send('{"command": list}', kind="json")
    expect(page.status()).to_contain_text("Not JSON: ")
    page.send('{"command": "list"}', kind="json")
    page.expect_status("Open.")  # the error has ended
    page.send('{"command": list}')
    expect(rows_of(page, "websocket.receive")).to_have_count(2)


def test_says_which_close_codes_a_browser_may_send(visit):
    page = visit("02-frames")
    page.connect()
    page.fill("Close code", "1001")
    page.press("Close")
    page.expect_status("A browser may send no code, 1000, or a code from 3000 to 4999.")
    page.fill("Close code", "3000")
    page.press("Close")
    page.expect_status("Closed with 1000.")  # Daphne's own close frame has this code
    expect(page.page.locator("#events")).to_contain_text("code: 3000")


def test_the_browser_log_escapes_direction_marks(visit):
    page = visit("02-frames")
    page.connect()
    page.send("a\u202eb")
    page.expect_browser_log("open", 'message "a\\u202eb"')


def test_a_clients_user_and_origin_decide_about_its_connection(visit):
    page = visit("17-origin")
    page.connect()
    page.connect(client=2, state="refused")
    page.expect_browser_log(
        "1 open", '1 message "Letters for student: 3"', "2 close code 1006, not clean"
    )
    page.choose("Page", "this page", client=2)
    page.choose("User", "anonymous", client=2)
    page.connect(client=2, state="closed")
    page.expect_status("Closed with 4401.", client=2)
    page.errors.clear()


def test_a_dialog_exports_the_conversation_as_a_test(visit):
    page = visit("02-frames")
    page.press("Export test")
    dialog = page.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nothing has been played yet")
    page.page.keyboard.press("Escape")
    page.connect()
    page.send("grüße")
    page.send("", kind="bytes")
    page.press("Vanish")
    page.press("Export test")
    source = dialog.get_by_role("region", name="The test")
    for line in (
        'await client.send_input({"type": "websocket.receive", "text": "grüße"})',
        'await client.send_input({"type": "websocket.receive", "bytes": b""})',
        'await client.send_input({"type": "websocket.disconnect", "code": 1006})',
    ):
        expect(source).to_contain_text(line)
    expect(dialog).to_contain_text("python3 -m pytest test_played_02_frames.py")
    with page.page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "test_played_02_frames.py"
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog).to_contain_text("Copied.")
    copied = page.page.evaluate("navigator.clipboard.readText()")
    assert copied == source.text_content() == download.value.path().read_text(encoding="utf-8")
    page.errors.clear()  # the console shows the answer 400


def test_a_transcript_can_be_saved_and_loaded_but_not_a_broken_one(visit):
    page = visit("02-frames")
    page.connect()
    page.send("<b>kept</b>")
    page.press("Close")
    rows = page.page.locator("#events tr")
    expect(rows.last).to_contain_text("finished")
    texts = rows.all_text_contents()
    with page.page.expect_download() as download:
        page.press("Save")
    saved = download.value.path().read_text(encoding="utf-8")
    assert json.loads(saved)["lesson"] == "02-frames"

    def load(text, name="a.json"):
        file = {"name": name, "mimeType": "application/json", "buffer": text.encode()}
        page.page.get_by_label("A saved transcript").set_input_files(file)

    no_text = json.dumps(
        {**json.loads(saved), "events": [json.loads(saved)["events"][0] | {"text": 1}]}
    )
    for number, text in enumerate((saved[:-9], '{"events": [1]}', no_text)):
        load(text, f"{number}.json")
        expect(page.page.locator("#file-status")).to_contain_text(
            f"{number}.json is not a saved transcript."
        )
        assert rows.all_text_contents() == texts
    page.press("Clear")
    expect(rows).to_have_count(0)
    load(saved)
    expect(rows).to_have_text(texts)


def test_clients_are_stacked_on_a_phone(visit):
    page = visit("12-group", **PHONE).show("Wire")
    first, second = (page.client(client).bounding_box() for client in (1, 2))
    assert first["x"] == second["x"]
    assert second["y"] > first["y"] + first["height"]
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390
