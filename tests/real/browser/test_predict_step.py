"""Predictions, in a real browser."""

from playwright.sync_api import expect

from tests.support.axe import violations

RIGHT = [
    'client → websocket.receive  text: "hello"',
    'client ← websocket.send  text: "You said: hello"',
    "client → websocket.disconnect  code: None",
    "consumer · finished",
]
LINE = "Below this line: never comes"


def question(page, name):
    return page.get_by_role("region", name=name, exact=True)


def in_order(asked):
    """The labels of the cards in their order, with the line between them."""
    return asked.locator(".cards > li").evaluate_all(
        """items => items.map(item => item.querySelector("button")
            ?.getAttribute("aria-label").replace("Up: ", "") ?? item.textContent)"""
    )


def test_an_order_can_be_made_and_checked_with_the_keyboard_alone(visit):
    page = visit("03-stop", color_scheme="dark").page
    asked = question(page, "Question 2")
    asked.get_by_role("button", name="Put the events in order").press("Enter")
    expect(asked.locator(".card")).to_have_count(6)
    for place, label in enumerate(RIGHT):
        up = asked.get_by_role("button", name=f"Up: {label}", exact=True)
        up.focus()
        for _ in range(in_order(asked).index(label) - place):
            page.keyboard.press("Enter")
    for label in in_order(asked)[4:6]:
        asked.get_by_role("button", name=f"Down: {label}", exact=True).focus()
        for _ in range(in_order(asked).index(LINE) - in_order(asked).index(label)):
            page.keyboard.press("Enter")
    assert in_order(asked)[:5] == [*RIGHT, LINE]
    expect(asked.locator(".status")).to_have_text("Never comes.")
    asked.get_by_role("button", name="Check").press("Enter")
    expect(asked.locator(".status")).to_have_text("Right. These are the events:")
    expect(asked.get_by_role("slider", name="The events, as a diagram")).to_be_visible()
    expect(asked).to_contain_text("so Daphne sends None")
    assert violations(page, "#predict") == []


def test_cards_can_be_dragged(visit):
    page = visit("03-stop").page
    page.set_viewport_size({"width": 1280, "height": 1200})  # all cards are visible at once
    asked = question(page, "Question 2")
    asked.get_by_role("button", name="Put the events in order").click()
    expect(asked.locator(".card")).to_have_count(6)
    first, *others, line = in_order(asked)
    asked.locator(".card").first.drag_to(asked.locator(".never-line"))
    expect(asked.locator(".status")).to_have_text("Never comes.")
    assert in_order(asked) == [*others, line, first]
    page.set_viewport_size({"width": 1280, "height": 720})


def test_receivers_can_be_ticked_and_checked(visit):
    page = visit("04-communicator").page
    asked = question(page, "Question 1")
    asked.get_by_role("button", name="Tick what arrives").click()
    asked.get_by_role("button", name="Check").click()
    expect(asked.locator(".status")).to_have_text(
        "Nothing is ticked yet. Something arrives: tick what."
    )
    expect(asked.locator(".explanation")).to_be_hidden()
    asked.get_by_label('client 1: websocket.send  text: "1 inside"').check()
    asked.get_by_label('client 2: websocket.send  text: "3 inside"').check()
    asked.get_by_role("button", name="Check").click()
    expect(asked.locator(".status")).to_have_text(
        "Ticked: 1 of the 3 that arrive, and 1 that does not. These are the events:"
    )
    asked.get_by_label('client 2: websocket.send  text: "3 inside"').uncheck()
    asked.get_by_label('client 1: websocket.send  text: "2 inside"').check()
    asked.get_by_label('client 2: websocket.send  text: "1 inside"').check()
    asked.get_by_role("button", name="Check").click()
    expect(asked.locator(".status")).to_have_text("Right. These are the events:")
