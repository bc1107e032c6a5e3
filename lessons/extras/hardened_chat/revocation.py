"""Signal receivers that make open connections check at once whether they may stay.

Their message does not say what has changed: each consumer asks the database, as at each heartbeat.
"""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from db_demo.models import Membership, Room

user_group, room_group = "chat-user-{}".format, "chat-room-{}".format

GROUPS = {
    Session: lambda session: user_group(session.get_decoded().get(SESSION_KEY)),
    get_user_model(): lambda user: user_group(user.pk),
    Membership: lambda membership: user_group(membership.user_id),
    Room: lambda room: room_group(room.name),
}


def request_check(sender, instance, **kwargs):
    group = GROUPS[sender](instance)

    def send():
        async_to_sync(get_channel_layer().group_send)(group, {"type": "chat.check"})

    # After the commit, because a consumer that checks earlier reads the old rows. robust: a logout
    # also succeeds if the layer is unreachable; then the next heartbeat makes the check.
    transaction.on_commit(send, robust=True)


for model in GROUPS:
    post_delete.connect(request_check, sender=model)
for model in (get_user_model(), Room):
    post_save.connect(request_check, sender=model)
