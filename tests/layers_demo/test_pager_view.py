"""The view and the command of lesson 11: each sends a page to a consumer."""

import asyncio
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

FORM = "/layers/pager/"
CHANNEL = "specific.check!9"


def post(client=None, **fields):
    answer = (client or Client()).post(FORM, {"channel": CHANNEL, "text": "<tea>", **fields})
    return answer.status_code, answer["Content-Type"].partition(";")[0], answer.content.decode()


def page(channel=CHANNEL):
    output = StringIO()
    call_command("page", channel, "<tea>", stdout=output)
    return output.getvalue()


@pytest.fixture
def full_channel(layer):
    layer.capacity = 1
    asyncio.run(layer.send(CHANNEL, {"type": "pager.message", "text": ""}))


def test_the_view_sends_to_the_channel(layer):
    assert post() == (200, "text/plain", "Sent.")
    assert layer.channels[CHANNEL].get_nowait()[1] == {"type": "pager.message", "text": "<tea>"}


def test_the_view_rejects_a_post_from_another_site(layer):
    assert post(Client(enforce_csrf_checks=True))[0] == 403
    assert layer.channels == {}


def test_the_form_contains_the_token_that_the_view_requires(layer):
    browser = Client(enforce_csrf_checks=True)
    token = browser.get(FORM).context["csrf_token"]
    assert post(browser, csrfmiddlewaretoken=str(token))[0] == 200


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_the_view_allows_only_get_and_post(method):
    assert getattr(Client(), method)(FORM).status_code == 405


def test_the_view_rejects_an_invalid_channel(layer):
    assert post(channel="some-worker") == (400, "text/plain", "No consumer has this channel.")
    assert layer.channels == {}


@pytest.mark.usefixtures("full_channel")
def test_the_view_reports_a_full_channel():
    assert post() == (503, "text/plain", "The channel is full.")


def test_the_command_sends_to_the_layer_of_its_process(layer):
    assert page() == "Sent.\n"
    assert list(layer.channels) == [CHANNEL]


def test_the_command_rejects_an_invalid_channel():
    with pytest.raises(CommandError, match=r"^No consumer has this channel\.$"):
        page("someone")


@pytest.mark.usefixtures("full_channel")
def test_the_command_reports_a_full_channel():
    with pytest.raises(CommandError, match=r"^The channel is full\.$"):
        page()
