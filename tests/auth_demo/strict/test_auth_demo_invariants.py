"""What holds for every consumer of auth_demo, however its client leaves.

Only the strict communicator cancels a consumer as Daphne does, and reports a consumer that does not
stop or that leaves a task or a group behind.
"""

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.contrib.auth.models import User

from auth_demo import tickets, tokens
from auth_demo.routing import ticket_urlpatterns, websocket_urlpatterns
from lessons.workshop.engine.world.cache import fresh_cache
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.engine.world.database import fresh_database
from tests.support.strict_communicator import StrictCommunicator

demo = AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, *ticket_urlpatterns]))
PATHS = ["user", "origin", "logout", "limits", "ticket", "token"]


@pytest.fixture
def layer():
    with fresh_layers() as layer:
        yield layer


@pytest.fixture(params=PATHS)
async def client(request, layer):
    """A client of each consumer, which is logged in as ada, and has a ticket and a token."""
    async with fresh_database() as database:
        with fresh_cache():
            headers = await database.log_in("ada")
            ada = await User.objects.aget()
            query = f"?ticket={await sync_to_async(tickets.issue)(ada)}"
            path = f"/ws/auth/{request.param}/{query if request.param == 'ticket' else ''}"
            subprotocols = ["mailbox.v1", f"token.{tokens.issue(ada)}"]
            async with StrictCommunicator(demo, path, headers, subprotocols) as client:
                yield client


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_stops_and_leaves_its_group_however_the_connection_ends(client, layer, end):
    assert (await client.connect())[0]
    await client.send_to(text_data="frame")
    client.unread.clear()
    await getattr(client, end)()
    assert client.finished
    assert not any(layer.groups.values())


async def test_survives_a_cancel_before_its_first_event(client, layer):
    await client.kill()
    assert client.finished
    assert not any(layer.groups.values())
