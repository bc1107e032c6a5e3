"""A lesson in Firefox."""

import pytest
from tests.browser.conftest import TEST_TIMEOUT

from lessons.workshop.setup.external_programs import FIREFOX
from tests.support.firefox import firefox


# Optional even with REQUIRE_PARTS=1: no other test needs a second browser.
@pytest.mark.skipif(not FIREFOX.find(), reason=FIREFOX.missing())
def test_a_lesson_works_in_firefox(address, tmp_path):
    with firefox(FIREFOX.find(), tmp_path, TEST_TIMEOUT) as browser:
        browser.open(f"{address}/lessons/02-frames/")
        browser.call("button => button.click()", browser.find("button", "Connect"))
        browser.wait_for("[role=status]", "Open.")
        payload = browser.find("textbox", "Payload")
        browser.call("(field, text) => { field.value = text }", payload, "grüße")
        browser.call("field => field.form.requestSubmit()", payload)
        browser.wait_for("[role=log]", 'message "grüße"')
        browser.wait_for("#source .highlighted[data-method=websocket_receive]")
        assert browser.errors == []
