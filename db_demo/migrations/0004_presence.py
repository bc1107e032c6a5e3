"""Rename the model Seat to Presence, without loss of rows."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("db_demo", "0003_chat")]

    operations = [
        migrations.RenameModel(old_name="Seat", new_name="Presence"),
        migrations.RenameIndex(
            model_name="presence", old_name="seat_in_its_room", new_name="presence_in_room"
        ),
    ]
