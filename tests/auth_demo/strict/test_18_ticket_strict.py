"""Two processes use one ticket at the same moment: only a simulated loop can stop one at each step.

The stock communicator cannot connect a second process between two steps of the first.
"""

from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.contrib.auth.models import User

from auth_demo.consumers import Welcome
from auth_demo.tickets import TicketMiddleware, issue
from lessons.workshop.engine.world.cache import fresh_cache
from lessons.workshop.engine.world.interleaving import interleaving
from tests.support.interleaving import each_point
from tests.support.strict_communicator import StrictCommunicator

demo = TicketMiddleware(Welcome.as_asgi())


async def test_of_two_processes_at_once_only_one_accepts_the_ticket(database):
    with fresh_cache(), ThreadPoolExecutor(1) as thread:

        async def other_process(scope, receive, send):
            async with ThreadSensitiveContext(executor=thread):
                await demo(scope, receive, send)

        async def connect(application):
            client = StrictCommunicator(application, f"/ws/auth/ticket/?ticket={ticket}")
            clients.append(client)
            answers.append(await client.connect())

        with interleaving() as points:
            ada = await User.objects.acreate(username="ada")
            ticket = await sync_to_async(issue)(ada)
            clients = []
            for _ in each_point(points, lambda: connect(other_process)):
                answers, ticket = [], await sync_to_async(issue)(ada)
                await connect(demo)
                assert answers.count((True, None)) == 1
            for client in clients:
                await client.leave()
