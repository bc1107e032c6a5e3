"""Another process writes before and after each step of a consumer.

The stock communicator lets no other process write between two steps of a consumer.
"""

import json

from channels.layers import get_channel_layer

from db_demo.consumers import EntryCounter
from db_demo.models import Entry
from lessons.workshop.engine.world.interleaving import interleaving
from tests.support.interleaving import each_point
from tests.support.strict_communicator import StrictCommunicator


async def test_the_counts_are_right_whenever_another_process_writes(database):
    rounds = 0

    async def publish():
        await database.do_in_other_process(Entry.objects.create, text="other")
        await get_channel_layer().group_send("entries", {"type": "entry.saved"})

    with interleaving() as moments:
        for _ in each_point(moments, publish):
            rounds += 1
            async with StrictCommunicator(EntryCounter.as_asgi(), "/") as client:
                await client.connect()
                await client.send_to(text_data="mine")
                frames = [json.loads(message["text"]) for message in client.take_unread()]
                numbers = [frame["new"] for frame in frames]
                assert numbers == sorted(set(numbers))  # no counts come twice
                assert frames[-1] == {"new": await Entry.objects.acount(), "last": numbers[-1]}
    # around six steps: join, two reads, save, group_send, leave; and after three messages
    assert rounds == 12 + 3 + 1
