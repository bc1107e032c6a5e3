"""A lesson in Firefox."""

import shutil

import pytest

from tests.browser.conftest import TEST_TIMEOUT
from tests.support.firefox import firefox

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


# Optional even with REQUIRE_PARTS=1: no other test needs a second browser.
@pytest.mark.skipif(not FIREFOX, reason="There is no Firefox here: apt-get install firefox-esr")
def test_a_lesson_works_in_firefox(address, tmp_path):
    with firefox(FIREFOX, tmp_path, TEST_TIMEOUT) as browser:
        browser.open(f"{address}/lessons/02-frames/")
        browser.call("button => button.click()", browser.find("button", "Connect"))
        browser.wait_for("[role=status]", "Open.")
        payload = browser.find("textbox", "Payload")
        browser.call("(field, text) => { field.value = text }", payload, "grüße")
        browser.call("field => field.form.requestSubmit()", payload)
        browser.wait_for("[role=log]", 'message "grüße"')
        browser.wait_for("#source .highlighted[data-method=websocket_receive]")
        assert browser.errors == []
