"""Lesson 20: does each client receive what is committed, once, and nothing else?"""

import json
from typing import ClassVar

from lessons.workshop.judge import TITLES, Model

POST = "db_demo.Post"
RAIN = 'row db_demo.Post {"title": "Rain"}'
HAIL = 'row db_demo.Post {"title": "Hail"}'
OTHER_TABLES = (
    'row auth.Group {"id": 4, "name": "editors"}',
    'row db_demo.Entry {"text": "Rain"}',
    'delete db_demo.Entry {"text": "Rain"}',
    'row db_demo.Room {"id": 3, "name": "rain"}',
    'delete db_demo.Room {"name": "rain"}',
    'row auth.User {"id": 900, "username": "ada"}',
    'delete auth.User {"username": "ada"}',
)
LOADED = (
    "Any code of the project, or `loaddata`, may save or delete a post. "
    "After each save, even if it changes nothing, each client gets one text frame with the JSON "
    '`{"saved": 7, "title": "Rain"}`: the title that the saved instance has at this save.'
)
PROMISES = {
    "Any code of the project, or `loaddata`, may save or delete a post": "others",
    "The frame is sent when the transaction": "test_nothing_is_sent_before_the_commit",
    "The frames of one transaction may come in any order": "send_to_all",
    "A change that is rolled back": "test_a_change_that_is_rolled_back_sends_nothing",
    "Other tables send no frame": "test_other_changes_send_no_frame",
    "The checks call `ready()` once": "This says when it runs.",
    "A client gets no frames for changes before": "setups",
    "However a connection ends": "test_clients_that_left_leave_nothing_behind",
}


class Ticker(Model):
    database = True
    clients_are_independent = False  # they receive what the same receivers send
    setups = (('load {"db_demo.Post": [{"title": "First"}, {"title": "Second"}]}',),)
    texts = ("hello", '{"saved": 1, "title": "Rain"}')
    ends = ("close", "vanish", "crash", "kill")
    handshakes = ("connect", "connect", "connect server=2")
    others = (
        RAIN,
        'row db_demo.Post {"title": " <b>☃</b> \\"it\'s\\" %s {0} "}',
        'row db_demo.Post {"title": ""}',
        f'row db_demo.Post {{"title": "{"long " * 19}title"}}',
        'row db_demo.Post {"id": 1, "title": "First"}',
        'raw row db_demo.Post {"id": 1, "title": "Dew"}',
        'partial row db_demo.Post {"id": 1, "title": "Fog"}',
        'partial row db_demo.Post {"id": 1, "text": "not the title"}',
        'partial row db_demo.Post {"id": 1, "text": "wet"} unsaved {"title": "Only here"}',
        'silent row db_demo.Post {"id": 1, "title": "Silent"}',
        'rolled-back row db_demo.Post {"title": "Never"}',
        'row db_demo.Post {"title": "Many"} * 12',
        'delete db_demo.Post {"title": "Rain"}',
        'delete db_demo.Post {"title": "Second"}',
        *("begin", "begin", "commit", "commit", "rollback"),
        *OTHER_TABLES,
    )
    long_conversations = (" | ".join(["connect", *[f"{RAIN} * 12", "wait 1"] * 10]),)

    promise_of: ClassVar = {
        "sent-inside-transaction": "The frame is sent when the transaction has been committed.",
        "sent-for-rolled-back": "A change that is rolled back, even to a savepoint, sends no "
        "frame.",
        "notified-for-other-models": "Other tables send no frame, and neither do changes without "
        "a signal, such as `Post.objects.update()`.",
        **dict.fromkeys(
            ("group-leak", "group-leak-after-a-crash", "cancelled-while-joining"),
            "However a connection ends, its channel leaves the group.",
        ),
    }
    inputs: ClassVar = {'row db_demo.Post {"title": …}': TITLES}

    def __init__(self):
        super().__init__()
        self.news = []  # the news of the changes that the last step has committed

    def connect(self, client):
        client.joined = self.burst
        client.accept()

    def committed(self, change):
        if change.table == POST and not change.silent:
            self.news.append(news_of(change))

    def other(self, step):
        for number, news in enumerate(self.news):
            send = self.send_saved if "saved" in news else self.send_deleted
            send(news, (step, number))
        self.news = []

    def send_saved(self, news, lane):
        """After each save, even if it changes nothing, each client gets one text frame with the
        JSON `{"saved": 7, "title": "Rain"}`: the title that the saved instance has at this save."""
        self.send_to_all(news, lane)

    def send_deleted(self, news, lane):
        """After each deletion, each client gets one frame with `{"deleted": 7}`."""
        self.send_to_all(news, lane)

    def send_to_all(self, news, lane):
        for client in self.open_clients:
            # The frames of a transaction have any order. A client that is not accepted yet may miss
            # some.
            was_accepted = client.joined < self.burst or self.at_point.get(client.number)
            client.send_json(
                news,
                lane=lane,
                may_miss=not was_accepted,
                promise=LOADED if self.step.arguments.get("raw") else "",
            )

    def receive(self, client, text, data):
        """Frames from clients have no effect."""

    def fault_in(self, turn, played):
        """The frame is sent when the transaction has been committed."""
        if turn.sends_in_transaction:
            return None, "sent-inside-transaction", "group_send ran before the commit."
        return None

    def diagnose(self, difference):
        if difference.fault:
            return None
        seen, wanted = (
            [parsed(text) for text in difference.texts(messages)]
            for messages in (difference.received, difference.expected)
        )
        surplus = [news for news in seen if news not in wanted]
        if surplus and self.tables.in_transaction:
            return "sent-inside-transaction"
        if any(news_of(change) in surplus for change in self.tables.undone):
            return "sent-for-rolled-back"
        if {"deleted": None} in surplus:
            return "deleted-without-id"
        if any(isinstance(news, dict) and news.get("saved", 0) is None for news in surplus):
            return "notified-before-save"
        if surplus and difference.step.arguments.get("model", POST) != POST:
            return "notified-for-other-models"
        missed = [news for news in wanted if news not in seen]
        if missed and not surplus and len(seen) == len(wanted):
            saved = {news.get("saved") for news in seen}
            is_of_same_posts = all(news.get("saved", 0) in saved for news in missed)
            return "title-read-later" if is_of_same_posts else None
        if difference.missing and difference.step.action == "connect" and difference.received:
            return "joined-too-late"
        own = difference.seen
        is_change = difference.step.client is None
        if is_change and difference.missing and own:
            if own.handled <= len(own.received):  # each message that came has led to a frame
                return "news-not-sent"
            if own.silence == "no-reply":
                return "news-left-out"
        return "notified-twice" if wanted and len(seen) > len(wanted) and not surplus else None


def news_of(change):
    if change.is_deleted:
        return {"deleted": change.row["id"]}
    return {"saved": change.row["id"], "title": change.row["title"]}


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def test_each_client_is_notified_of_a_post_that_is_saved(play):
    """Each client is notified once of each post that is saved."""
    play(["connect", "2 connect", "3 connect", RAIN, HAIL])
    play(["connect", 'row db_demo.Post {"title": ""}'])


def test_a_client_misses_nothing_from_its_accept_on(play):
    """A post that is saved right after the accept is sent, too."""
    play.at_each_point(f"connect | at * {RAIN}")


def test_each_client_is_notified_of_a_change(play):
    """A changed post sends a frame with its title, even if only some fields are saved.

    A post that is saved again without a change sends a frame, too.
    """
    change = 'row db_demo.Post {"id": 1, "title": "Hail"}'
    play([RAIN, "connect", change, change, f"raw {change}"])
    play([RAIN, "connect", 'partial row db_demo.Post {"id": 1, "title": "Hail"}'])
    play([RAIN, "connect", 'partial row db_demo.Post {"id": 1, "text": "wet"}'])
    play([RAIN, "connect", 'partial row db_demo.Post {"id": 1, "title": "Hail", "text": "wet"}'])


def test_nothing_is_sent_before_the_commit(play):
    """The frames of a transaction are sent after the commit, and not before."""
    play(["connect", "begin", RAIN, 'row db_demo.Post {"id": 1, "title": "Hail"}', "commit"])


def test_each_save_of_a_transaction_sends_a_frame(play):
    """Each save of a transaction sends its frame, even if the post is changed or deleted in it."""
    change = 'row db_demo.Post {"id": 1, "title": "Hail"}'
    play(["connect", "begin", RAIN, change, change, "commit"])
    play(["connect", "begin", HAIL, "begin", RAIN, "commit", "commit"])
    play(["connect", "2 connect", 'row db_demo.Post {"title": "☃"} * 15'])
    play(["connect", "begin", RAIN, change, 'delete db_demo.Post {"title": "Hail"}', "commit"])


def test_a_change_that_is_rolled_back_sends_nothing(play):
    """A rolled-back change sends no frame, even if only its savepoint is rolled back."""
    play(["connect", "begin", RAIN, "rollback", HAIL])
    play(["connect", "begin", RAIN, "rollback", RAIN])
    play(["connect", "begin", HAIL, "begin", RAIN, "rollback", "commit"])


def test_each_client_is_notified_of_a_deletion(play):
    """A deletion sends the post's id, in a transaction too. If rolled back, it sends nothing."""
    delete = 'delete db_demo.Post {"title": "Rain"}'
    play([RAIN, "connect", delete])
    play([RAIN, "connect", "begin", delete, "commit"])
    play([RAIN, "connect", "begin", delete, "rollback"])
    play([f"{RAIN} * 3", "connect", delete])
    again = 'row db_demo.Post {"id": 9007199254740993, "title": "Rain"}'
    play(["connect", again, delete, again, delete])
    play(["connect", again, "begin", delete, again, "commit"])


def test_other_changes_send_no_frame(play):
    """Other tables send no frame, and neither do changes without a signal."""
    play(["connect", 'row auth.Group {"name": "a"}', 'delete auth.Group {"name": "a"}'])
    message = 'row db_demo.Message {"room_id": 3, "text": "Rain"}'
    play(["connect", *OTHER_TABLES[3:4], message, *OTHER_TABLES[4:]])
    play([RAIN, "connect", 'silent row db_demo.Post {"id": 1, "title": "Hail"}'])


def test_the_title_is_that_of_the_instance(play):
    """A frame has the title that the saved instance has, even if the table has another one."""
    unsaved = 'partial row db_demo.Post {"id": 1, "text": "wet"} unsaved {"title": "Only here"}'
    play([RAIN, "connect", unsaved, 'partial row db_demo.Post {"id": 1, "text": "dry"}'])


def test_clients_that_left_leave_nothing_behind(play):
    """However many clients have left, each connected client is notified once."""
    play(["connect", "close", "connect", "vanish", "connect", "crash", "2 connect", "2 kill"])
    play(["connect", "close", "2 connect", "3 connect", "2 text hello", RAIN])
