"""What the models of db_demo allow, and which changes its signal receiver sees."""

import sys

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.forms import modelform_factory

from db_demo import signals
from db_demo.models import Entry, Post

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_form_refuses_a_post_with_a_longer_text():
    form = modelform_factory(Post, fields=["title", "text"])
    assert form({"title": "Rain", "text": "🦊" * 20_000}).is_valid()
    errors = form({"title": "Rain", "text": "x" * 20_001}).errors
    assert errors == {"text": ["Ensure this value has at most 20000 characters (it has 20001)."]}


def test_only_a_form_checks_max_length_on_sqlite():
    entry = Entry.objects.create(text="x" * 1001)
    with pytest.raises(ValidationError):
        entry.clean_fields()


def test_changes_of_other_tables_are_not_sent(monkeypatch):
    sent = []
    monkeypatch.setattr(signals, "send", sent.append)
    User.objects.create(username="ada").delete()
    assert sent == []


def test_every_process_imports_the_signal_receiver(monkeypatch):
    monkeypatch.setitem(sys.modules, "db_demo.signals", None)  # from now on, its import fails
    with pytest.raises(ImportError):
        apps.get_app_config("db_demo").ready()
