"""Remove what only the hardened chat used: its counters, and the address of a presence."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("db_demo", "0007_usage"),
    ]

    operations = [
        migrations.DeleteModel(
            name="Usage",
        ),
        migrations.RemoveField(
            model_name="presence",
            name="address",
        ),
    ]
