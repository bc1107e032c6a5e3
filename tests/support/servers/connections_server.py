"""Serves a consumer and a view that count the connections of this process to PostgreSQL.

`python -m tests.support.servers.connections_server HOST CONN_MAX_AGE POOL_SIZE`. A POOL_SIZE of 0
means that there are no pools. `/4/` leads to a view that waits until four requests are in it.
"""

import sys
import threading

import django
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path

from tests.support.programs.running_program import TEST_TIMEOUT
from tests.support.servers.daphne_server import serve

NAME = "connections-server"
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"


def count():
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [NAME])
        return cursor.fetchone()[0]


class Counter(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        number = await database_sync_to_async(count)()
        await self.send({"type": "websocket.send", "text": str(number)})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


four = threading.Barrier(4, timeout=TEST_TIMEOUT)


def view(request):
    count()
    four.wait()  # until each of four requests has its connection
    number = count()
    four.wait()  # none ends before all have counted
    return HttpResponse(number)


urlpatterns = [path("4/", view)]

if __name__ == "__main__":
    host, max_age, pool = sys.argv[1:]
    options = {"application_name": NAME} | ({"pool": {"max_size": int(pool)}} if int(pool) else {})
    settings.configure(
        DEBUG=False,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "postgres",
                "USER": "postgres",
                "HOST": host,
                "CONN_MAX_AGE": int(max_age),
                "OPTIONS": options,
            }
        },
    )
    django.setup()
    serve(ProtocolTypeRouter({"http": get_asgi_application(), "websocket": Counter.as_asgi()}))
