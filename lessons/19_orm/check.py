"""Lesson 19: is each answer up to date, and does every query run in the right thread?"""

import json
from collections import Counter
from itertools import product
from typing import ClassVar

from lessons.workshop.judge import TITLES, Model

LONG_NAME = "long" * 37 + "er"  # as long as a name can be
ROWS = """load {
"auth.Group": [{"name": "editors"}, {"name": "guests"}, {"name": "readers"}, {"name": "silent"},
 {"name": " padded "}, {"name": "1"}, {"name": "a,b"}, {"name": "100 %s {0}"},
 {"name": "LONG"}, {"name": "\u00e9"}],
"auth.User": [{"username": "ada", "first_name": "Ada", "last_name": "Lovelace"},
 {"username": "grace", "is_active": false}, {"username": "linus"}, {"username": "alan"}],
"auth.User_groups": [{"user_id": 1, "group_id": 1}, {"user_id": 2, "group_id": 1},
 {"user_id": 2, "group_id": 2}, {"user_id": 3, "group_id": 2}, {"user_id": 3, "group_id": 3},
 {"user_id": 1, "group_id": 5}, {"user_id": 1, "group_id": 6}, {"user_id": 1, "group_id": 7},
 {"user_id": 1, "group_id": 8}, {"user_id": 1, "group_id": 9},
 {"user_id": 3, "group_id": 10}],
"db_demo.Post": [{"title": "Rain", "text": "It rains.", "author_id": 2},
 {"title": "<b>Hail</b> {0} %s", "author_id": 1},
 {"title": "Fog", "author_id": 4}, {"title": "Rain", "author_id": 2}, {"title": "unsigned"},
 {"title": " A long title, padded, with ☃: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ", "author_id": 2}]
}""".replace("\n", "").replace("LONG", LONG_NAME)


NUMBERS = range(1, 16)  # ids of users: all are members of the group `crowd`
CROWD = "load " + json.dumps(
    {
        "auth.Group": [{"id": 20, "name": "crowd"}],
        "auth.User": [{"id": number, "username": f"user{number}"} for number in NUMBERS],
        "auth.User_groups": [{"user_id": number, "group_id": 20} for number in NUMBERS],
        "db_demo.Post": [{"title": "News", "author_id": number} for number in NUMBERS],
    }
)
MANY = "load " + json.dumps(
    {"db_demo.Post": [{"title": f"Post {number}", "author_id": 3} for number in range(101)]}
)
NO_GROUP, NO_POSTS = {0: "no such group"}, {0: "no posts"}
SNOW = 'row db_demo.Post {"title": "Snow", "author_id": 3}'
PROMISES = {
    "A text frame has the name": "texts",
    "Read the rows again for each frame": "test_each_answer_is_up_to_date",
    "Other code may change them": "test_the_database_may_change_between_two_queries",
    "If a group or a post is deleted there": "receive",
    "The connection stays open": "test_the_database_may_change_between_two_queries",
    "No query runs on the event loop": "test_every_query_runs_in_a_thread",
    "Do not query in a thread whose database connection": "test_every_query_runs_in_a_thread",
}
JOIN = 'row auth.User_groups {"id": 12, "user_id": 4, "group_id": 4}'
RENAME = 'row auth.User {"id": 1, "username": "lovelace"}'


def post(title):
    written = json.dumps(title).replace("|", "\\u007c")  # which would end the step
    return f'row db_demo.Post {{"title": {written}, "author_id": 3}}'


class ReadingRoom(Model):
    database = True
    points = (0, 1, 2, 3, 4, 5, 7)
    clients_are_independent = False  # they read the same rows
    setups = ((ROWS,),)
    promise_of: ClassVar = {
        **dict.fromkeys(("closed-early", "exception"), "The connection stays open."),
        "connection-left-open": "Do not query in a thread whose database connection no code "
        "closes, as in `asyncio.to_thread`.",
        **dict.fromkeys(
            ("query-on-loop", "orm-in-async", "lazy-queryset", "unfetched-relation"),
            "No query runs on the event loop.",
        ),
    }
    texts = (
        *("editors", "guests", "readers", "silent", "none", "Editors", "edit", "ada", " editors"),
        *(" padded ", "padded", "1", "2", "a,b", "a", "100 %s {0}", "' OR 1=1 --", LONG_NAME),
        *(LONG_NAME[:-1], f"{LONG_NAME}s"),
    )
    long_conversations = (f"connect | {' | '.join(map(post, TITLES))} | text guests",)
    others = (
        SNOW,
        'row db_demo.Post {"title": "", "author_id": 3}',
        'row auth.Group {"id": 2, "name": "visitors"}',
        'row auth.Group {"id": 2, "name": "guests"}',
        'row auth.Group {"id": 11, "name": "none"}',
        RENAME,
        JOIN,
        'delete auth.User_groups {"user_id": 2, "group_id": 2}',
        'delete db_demo.Post {"title": "Rain"}',
        'delete auth.Group {"name": "editors"}',
        "database restarted",
    )

    def __init__(self):
        super().__init__()
        self.earlier = []  # earlier states of the database

    def before(self, burst):
        self.earlier += [state for state in self.recent_tables[:-1] if state["auth.Group"]]

    def receive(self, client, text, data):
        states = self.recent_tables
        answers = [lines_of(text, *each) for each in product(states, repeat=4)]
        if len(states) > 1:  # a group or post that was found first may be missing then
            answers += [NO_POSTS, {}]
        lines = dict(self.branch([*dict.fromkeys(tuple(it.items()) for it in answers)]))
        if lines == NO_GROUP:
            self.send_no_group(client)
        elif lines == NO_POSTS:
            self.send_no_posts(client)
        else:
            always = (lines_of(text, *[it] * 4).keys() for it in states)
            self.send_posts(client, lines, set.intersection(*map(set, always)))

    def send_posts(self, client, lines, always):
        """For each post by a member, the client gets a text frame: its title and its author's
        username, `Rain, by ada`. The posts come in the order of their ids."""
        for number, line in lines.items():
            client.send(line, may_miss=number not in always)

    def send_no_posts(self, client):
        """Without such a post, the client gets only `no posts`."""
        client.send("no posts")

    def send_no_group(self, client):
        """If no group has that name, it gets only `no such group`. A binary frame gets
        `no such group`, too."""
        client.send("no such group")

    def diagnose(self, difference):
        if fault := difference.fault:
            is_unsigned = "'NoneType' object has no attribute 'username'" in fault.detail
            is_alone = len(difference.steps_of_burst) == 1
            return "row-of-others" if is_unsigned and is_alone else None
        lines, wanted = (difference.texts(it) for it in (difference.received, difference.expected))
        text = difference.step.arguments.get("text")
        if text is None:
            return None
        for earlier in self.earlier:  # the room may have kept some of the rows only
            mixed = product((earlier, self.tables), repeat=4)
            if lines and lines != wanted and lines in [texts_of(text, *it) for it in mixed]:
                return "stale-rows"
        surplus = Counter(lines) - Counter(wanted)
        bursts = difference.played.bursts[: difference.burst]
        received = [seen.received for it in bursts for seen in it.clients.values()]
        heard = {message.get("text") for one in received for _, message in one}
        if surplus and heard.issuperset(surplus):  # lines of an earlier answer
            return "stale-rows"
        is_alone = len(difference.steps_of_burst) == 1
        is_silent = difference.seen and difference.seen.silence == "no-reply"
        rest = iter(wanted)
        is_part = 0 < len(lines) < len(wanted) and all(line in rest for line in lines)
        if is_alone and is_part and (is_silent or not difference.missing):
            return "rows-left-out"
        if is_alone and lines != wanted and sorted(lines) == sorted(wanted):
            return "wrong-order"
        known = texts_of(text, *[self.tables] * 4)  # saved while the answer was sent, perhaps
        others = {*signed(self.tables, self.tables).values()} - {*wanted, *known}
        return "row-of-others" if others & set(lines) else None


def lines_of(name, groups, members, posts, users):
    """Return post → line. Each argument is a state of the database: a room may use four queries."""
    found = {row["id"] for row in groups["auth.Group"] if row["name"] == name}
    if not found:
        return NO_GROUP
    left = found & {row["id"] for row in members["auth.Group"]}
    links = members["auth.User_groups"]
    authors = {link["user_id"] for link in links if link["group_id"] in left}
    return signed(posts, users, authors) or NO_POSTS


def texts_of(*arguments):
    return [*lines_of(*arguments).values()]


def signed(posts, users, authors=None):
    """Return id → line for the posts of these authors, or of all authors."""
    names = {row["id"]: row["username"] for row in users["auth.User"]}
    authors = names if authors is None else authors
    written = [row for row in posts["db_demo.Post"] if row.get("author_id") in authors]
    return {row["id"]: f"{row['title']}, by {names[row['author_id']]}" for row in written}


def test_sends_what_the_members_of_a_group_wrote(play):
    """The name of a group gets a frame for each post of its members, in the order of the ids."""
    play([ROWS, "connect", "text editors", "text guests"])
    play([ROWS, f"{SNOW} * 150", "connect", "text readers"])
    newest = 'silent row db_demo.Post {"id": 1, "written_at": "2050-01-01T00:00:00+00:00"}'
    play([CROWD, newest, "connect", "text crowd"])


def test_a_group_without_posts(play):
    """A group whose members wrote nothing, or that has no members, gets "no posts"."""
    play([ROWS, 'delete db_demo.Post {"author_id": 3}', "connect", "text readers", "text silent"])


def test_a_group_that_does_not_exist(play):
    """Any other name, or a binary frame, gets "no such group". The client may ask again."""
    play([ROWS, "connect", "text none", "bytes 656469746f7273", "text", "text guests"])


def test_each_answer_is_up_to_date(play):
    """An answer shows earlier changes of the database, on an open connection too."""
    ask = "text guests"
    play([ROWS, "connect", "text new", 'row auth.Group {"name": "new"}', "text new"])
    play([ROWS, "connect", ask, SNOW, ask])
    play([ROWS, "connect", "text editors", RENAME, "text editors"])
    gone = 'delete auth.Group {"name": "guests"}'
    play([ROWS, "connect", ask, gone, ask, "2 connect", f"2 {ask}"])


def test_questions_at_the_same_time_get_their_own_answers(play):
    """Clients that ask at the same time get their own answers, each client in its order."""
    play([ROWS, "connect", "2 connect", "text editors", "& 2 text guests"])
    play([ROWS, "connect", "text editors", "at 5 text guests"])


def test_the_database_may_change_between_two_queries(play):
    """If other code changes rows between two queries, the connection stays open."""
    unsigned = 'row db_demo.Post {"id": 1, "author_id": null}'
    gone = 'delete db_demo.Post {"author_id": 2}', 'delete auth.Group {"name": "guests"}'
    for change in (*gone, unsigned):
        ask = "text guests"
        play.at_each_point(f"{ROWS} | {SNOW} | connect | {ask} | at * {change} | {ask}")
    for point in (4, 6):  # a room may read pages
        gone = f'at {point} delete db_demo.Post {{"id": 9}}'
        play([ROWS, MANY, "connect", "text readers", gone])
    play.at_each_point(f"{ROWS} | connect | text silent | at * {JOIN} | text silent")
    play.at_each_point(f"{ROWS} | connect | text readers | at * {SNOW} | text readers")


def test_every_query_runs_in_a_thread(play):
    """No query runs on the event loop, and no thread keeps a connection that no code closes."""
    play([ROWS, "connect", "text editors", "text silent", "database restarted", "text none"])
