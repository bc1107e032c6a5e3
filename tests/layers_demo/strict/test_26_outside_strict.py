"""Noticeboard joins its group before it reads the text.

Strict, because only the simulated world lets another process write between any two steps.
"""

from layers_demo.asgi import application
from layers_demo.models import Notice
from layers_demo.noticeboard import put_up
from lessons.workshop.engine.world.interleaving import interleaving
from tests.support.interleaving import each_point
from tests.support.strict_communicator import StrictCommunicator


async def test_a_text_is_not_missed_while_a_reader_connects(database):
    rounds = 0

    async def act():
        await database.do_in_other_process(put_up, 1, f"text {rounds}")

    with interleaving() as moments:
        for _ in each_point(moments, act):
            rounds += 1
            path = "/ws/layers/outside/1/"
            async with StrictCommunicator(application, path) as client:
                await client.connect()
                texts = [message["text"] for message in client.take_unread()]
                stored = await database.do(Notice.objects.get)
                assert texts[-1] == f"notice: {stored.text}"
                assert len(texts) == len({*texts})
    # around three steps: join, read, leave; and after two messages
    assert rounds == 6 + 2 + 1
