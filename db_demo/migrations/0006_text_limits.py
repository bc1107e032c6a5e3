"""Limit the texts of posts and entries. A longer entry keeps its first 1,000 characters."""

from django.core.validators import MaxLengthValidator
from django.db import migrations, models


def shorten_entries(apps, schema_editor):
    # Not in SQL: for SQLite, a text ends at its first NUL character.
    for entry in apps.get_model("db_demo", "Entry").objects.iterator():
        if len(entry.text) > 1000:
            entry.text = entry.text[:1000]
            entry.save()


class Migration(migrations.Migration):
    dependencies = [("db_demo", "0005_room_speaker")]

    operations = [
        migrations.RunPython(shorten_entries, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="entry",
            name="text",
            field=models.CharField(max_length=1000),
        ),
        migrations.AlterField(
            model_name="post",
            name="text",
            field=models.TextField(blank=True, validators=[MaxLengthValidator(20_000)]),
        ),
    ]
