"""A student on their own machine, who has not started, and a page of that student."""

import pytest

from lessons.workshop.member.membership import Membership
from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.student import progress


@pytest.fixture
def state_dir(tmp_path, monkeypatch, settings):
    """The folder with the progress of a student who has not started."""
    settings.MODE = Mode.LOCAL
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def known():
    """The membership of a student whose room does not answer."""
    return Membership("http://x", "secret", "Ann", "Monday")


@pytest.fixture
def lamp(course):
    """A lesson that the student has not begun."""
    return course[0]


@pytest.fixture
def own_feed(client, db):
    """The feed id of a page of the client's session."""
    client.session.save()
    return new_feed_id(client.session.session_key)


@pytest.fixture
def page_layers(settings):
    """New layers in memory. The next test gets new ones too, each with a new recorder."""
    memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": memory}
    settings.ALLOWED_HOSTS = ["localhost"]
