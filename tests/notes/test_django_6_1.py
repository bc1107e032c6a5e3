"""What NOTES.md says about Django 6.1. These tests need it, and so Python 3.12."""

import asyncio
import pkgutil

import django
import pytest
from django.contrib.auth.models import Permission
from django.db import connection, models
from django.db.models.signals import post_delete
from django.test.utils import isolate_apps

pytestmark = pytest.mark.skipif(django.VERSION < (6, 1), reason="needs Django 6.1")


@pytest.fixture
def deleted():
    """The names of the models of which post_delete has been sent."""
    names = []

    def note(sender, **kwargs):
        names.append(sender.__name__)

    post_delete.connect(note)
    yield names
    post_delete.disconnect(note)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "rule, signals", [("CASCADE", ["Book", "Shelf"]), ("DB_CASCADE", ["Shelf"])]
)
@isolate_apps("db_demo")
def test_a_cascade_in_the_database_deletes_rows_without_a_signal(deleted, rule, signals):
    class Shelf(models.Model):  # noqa: DJ008
        class Meta:
            app_label = "db_demo"

    class Book(models.Model):  # noqa: DJ008
        shelf = models.ForeignKey(Shelf, getattr(models, rule))

        class Meta:
            app_label = "db_demo"

    with connection.schema_editor() as editor:
        editor.create_model(Shelf)
        editor.create_model(Book)
    try:
        Book.objects.create(shelf=Shelf.objects.create()).shelf.delete()
        assert not Book.objects.exists()
        assert deleted == signals
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Book)
            editor.delete_model(Shelf)


@pytest.mark.django_db
def test_with_fetch_raise_a_relation_that_was_not_fetched_raises():
    from django.core.exceptions import FieldFetchBlocked

    permissions = Permission.objects.fetch_mode(models.FETCH_RAISE)
    with pytest.raises(FieldFetchBlocked):
        assert permissions.first().content_type
    assert permissions.select_related("content_type").first().content_type


def double(number):
    return 2 * number


def test_a_task_runs_at_once_because_django_contains_no_worker():
    import django.tasks.backends as backends

    modules = {module.name for module in pkgutil.iter_modules(backends.__path__)}
    assert modules == {"base", "dummy", "immediate"}
    result = asyncio.run(django.tasks.task(double).aenqueue(21))
    assert (result.status, result.return_value) == ("SUCCESSFUL", 42)
