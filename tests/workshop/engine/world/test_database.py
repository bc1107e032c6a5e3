"""The database of a check: its content, its connections, and its queries in the transcript."""

from asgiref.sync import async_to_sync, sync_to_async
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from db_demo.models import Membership, Message, Post, Room
from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator
from tests.support.programs.processes import project_environment, run


def test_migrations_create_all_tables_of_the_models():
    loader = MigrationLoader(None)
    state = ProjectState.from_apps(apps)
    assert MigrationAutodetector(loader.project_state(), state).changes(loader.graph) == {}


def counted():
    tables = set(connection.introspection.table_names())
    return {model: model.objects.count() for model in apps.get_models()}, tables


async def test_has_a_table_for_each_model_and_no_rows():
    async with fresh_database() as database:
        counts, tables = await database.do(counted)
    assert set(counts.values()) == {0}
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert tables == names


async def test_the_next_check_finds_an_empty_database():
    for _ in range(3):
        async with fresh_database() as database:
            assert await Post.objects.acount() == 0
            await database.add_account("ada")
            await Post.objects.acreate(title="news", author=await User.objects.aget())
            assert (await Post.objects.aget()).id == 1  # ids start at 1 again


PREPARED = """
import asyncio, sys, threading
import lessons.workshop.judge.preload
from lessons.workshop.engine.world import database

threads = threading.active_count()
database.create_tables = None

async def main():
    async with database.fresh_database() as fresh:
        await fresh.add_account("ada")

asyncio.run(main())
sys.exit(threads - 1)
"""


async def test_the_next_check_finds_no_content_type_of_an_earlier_one():
    async with fresh_database() as database:
        await database.do(ContentType.objects.get_for_model, User)
    async with fresh_database() as database:
        await database.do(ContentType.objects.create, app_label="a", model="first")
        found = await database.do(ContentType.objects.get_for_model, User)
        row = await database.do(ContentType.objects.get, pk=found.pk)
        assert (row.app_label, row.model) == ("auth", "user")


def test_a_process_forked_after_prepare_creates_no_tables(tmp_path):
    (tmp_path / "warm.py").write_text(PREPARED)
    done = run([tmp_path / "warm.py"], cwd=PROJECT_DIR, env=project_environment())
    assert (done.returncode, done.stderr) == (0, "")


async def test_supports_relations_and_transactions():
    def fill():
        user = User.objects.create(username="ada")
        user.groups.add(Group.objects.create(name="editors"))
        room = Room.objects.create(name="lobby")
        Membership.objects.create(room=room, user=user)
        with transaction.atomic():
            Message.objects.create(room=room, author=user, text="hello")
            transaction.set_rollback(True)
        return list(room.members.all()), list(user.groups.all()), room.messages.count()

    async with fresh_database() as database:
        members, groups, messages = await database.do(fill)
    assert [str(member) for member in members] == ["ada"]
    assert [group.name for group in groups] == ["editors"]
    assert messages == 0


class Asks(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.count()

    async def count(self):
        self.number = await database_sync_to_async(User.objects.count)()

    async def accounts_changed(self, event):
        await self.count()
        await self.send({"type": "websocket.send", "text": str(self.number)})


async def test_records_the_queries_of_the_consumer_but_not_of_the_check():
    async with fresh_database() as database:
        client = StrictCommunicator(Asks.as_asgi(), "/")
        await client.connect()
        await database.add_account("ada")
        events = [event for event in client.transcript if event.lane == "database"]
        await client.cancel_application()
    (query,) = events
    assert query.message == {
        "type": "query",
        "sql": 'SELECT COUNT(*) AS "__count" FROM "auth_user"',
    }
    assert query.handler == "websocket_connect"
    assert query.thread != client.transcript[0].thread


async def test_do_returns_after_the_effects_of_a_commit():
    def add(channel):
        with transaction.atomic():
            User.objects.create(username="ada")
            message = {"type": "accounts.changed"}
            send = async_to_sync(get_channel_layer().send)
            transaction.on_commit(lambda: send(channel, message))

    with fresh_layers() as layer:
        async with fresh_database() as database:
            client = StrictCommunicator(Asks.as_asgi(), "/")
            await client.connect()
            client.expect()
            await database.do(add, layer.channel_of(client.server.connection_id))
            client.expect({"type": "websocket.send", "text": "1"})
            await client.cancel_application()


async def test_names_threads_with_unmanaged_connections():
    async with fresh_database() as database:
        await database_sync_to_async(User.objects.count, thread_sensitive=False)()
        await User.objects.acount()
        assert await database.unmanaged_connections() == []
        await sync_to_async(User.objects.count, thread_sensitive=False)()
        await sync_to_async(User.objects.count, thread_sensitive=False)()
        assert await database.unmanaged_connections() == ["asyncio"]
    async with fresh_database() as database:
        assert await database.unmanaged_connections() == []
