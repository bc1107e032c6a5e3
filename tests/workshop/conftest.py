"""Fixtures for the pages that play something for one student."""

import pytest

from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.student import progress


@pytest.fixture
def state_dir(tmp_path, monkeypatch):
    """The folder with the progress of a student who has not started."""
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    return tmp_path


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
