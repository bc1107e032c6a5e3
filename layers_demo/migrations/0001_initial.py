"""Create the tables of lesson 26: the worked example's notices, and the exercise's jobs."""

from django.db import migrations, models


def key():
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[("id", key()), ("percent", models.PositiveSmallIntegerField(default=0))],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", key()),
                ("board", models.PositiveIntegerField(unique=True)),
                ("text", models.CharField(max_length=200)),
            ],
        ),
    ]
