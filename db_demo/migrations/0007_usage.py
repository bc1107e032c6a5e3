"""Add the table that counts what guests and users of the hardened chat do in a period of time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("db_demo", "0006_text_limits")]

    operations = [
        migrations.CreateModel(
            name="Usage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("what", models.CharField(max_length=80)),
                ("ends_at", models.DateTimeField(db_index=True)),
                ("count", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.AddConstraint(
            model_name="usage",
            constraint=models.UniqueConstraint(fields=("what", "ends_at"), name="usage_once"),
        ),
    ]
