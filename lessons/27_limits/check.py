"""Lesson 27: does a user get three pages a minute, and does a silent client get closed?"""

import math
from typing import ClassVar

from lessons.workshop.judge import Model

PAGES = 3
MINUTE = 60
MAX_LENGTH = 40
SILENCE = 30
QUOTA = (
    "In each minute of the clock (12:00:00 to 12:01:00), a user may copy 3, over all connections "
    "and servers."
)
USED_UP = "connect as=ada | text one | text two | text three | text four"
PROMISES = {
    "Copier runs behind AuthMiddlewareStack": "The engine checks the base class.",
    "Each frame of a user is answered": "texts",
    "A text of 1 to 40 characters is a page": "test_any_other_frame_is_not_a_page",
    "over all connections and servers": (
        *("test_counts_all_connections_of_a_user", "test_counts_on_all_servers"),
    ),
    "After 30 seconds without a frame": "test_each_frame_ends_the_silence",
    "The servers share the cache and the database": "test_only_one_of_two_gets_the_last_page",
    "Call neither on the event loop": "The engine sees a query or a call on the event loop.",
    "No task outlives its connection": "test_no_task_continues_after_the_end",
}


class Copier(Model):
    database = True
    clients_are_independent = False
    max_clients = 4
    points = (0, 1, 2, 3, 4, 6)
    handshakes = (
        *("connect as=ada", "connect as=ada server=2", "connect as=ada/2", "connect as=bob"),
        *("connect", "connect as=bob server=2", "connect as=ada"),
    )
    texts = ("hello", "hello again", "x" * MAX_LENGTH, "x" * (MAX_LENGTH + 1), "🦊" * MAX_LENGTH)
    others = ("wait 29.5", "wait 10", "wait 0.5", "wait 20", "wait 30")
    ends = (*Model.ends, "crash")
    long_conversations = (f"connect as=ada{' | wait 50 | text one' * 75}",)  # more than an hour
    promise_of: ClassVar = {
        **dict.fromkeys(("quota-not-kept", "quota-of-each-connection"), QUOTA),
        "quota-of-each-server": QUOTA,
        "quota-raced": "The servers share the cache and the database (another server may act "
        "between two calls).",
        "refused-counted": "Any other frame gets `not a page`, and does not count. A frame after a "
        "close gets no answer and copies nothing.",
        "idle-too-early": "After 30 seconds without a frame, the client receives `still there?`. "
        "After 60 seconds, it is closed with 4408.",
        "send-after-close": "A frame after a close gets no answer and copies nothing.",
        "blocked-loop": "Call neither on the event loop.",
        "cleanup-skipped": "No task outlives its connection.",
    }

    def __init__(self):
        super().__init__()
        self.copied = []  # (user, minute, connection) of each page
        self.refused = set()  # (user, minute) in which a frame that is no page has come
        self.too_late = set()  # (user, minute) in which a frame has come after a close

    def connect(self, client):
        client.accept()
        client.user = client.handshake.get("as", "").partition("/")[0]
        client.copied_in = None  # the burst of its last page
        if not client.user:
            self.close_anonymous(client)
            return
        client.frames = 0
        self.expect_silence(client)

    def close_anonymous(self, client):
        """It accepts every client, then closes anonymous ones with 4401."""
        client.close(4401)

    def expect_silence(self, client):
        self.after(SILENCE, self.ask, client, client.frames)
        self.after(2 * SILENCE, self.end, client, client.frames)

    def ask(self, client, frames):
        """After 30 seconds without a frame, the client receives `still there?`."""
        if client.is_open and client.frames == frames:
            client.send("still there?", at=self.now)

    def end(self, client, frames):
        """After 60 seconds, it is closed with 4408."""
        if client.is_open and client.frames == frames:
            client.close(4408, at=self.now)

    def receive(self, client, text, data):
        client.frames += 1
        self.expect_silence(client)
        minute = self.now // MINUTE
        if not text or len(text) > MAX_LENGTH:
            self.refuse(client, minute)
            return
        client.earlier = self.copied
        if len([page for page in self.copied if page[:2] == (client.user, minute)]) < PAGES:
            self.copy(client, text, minute)
        else:
            self.put_off(client)

    def refuse(self, client, minute):
        """Any other frame gets `not a page`, and does not count."""
        self.refused = {*self.refused, (client.user, minute)}
        client.send("not a page")

    def copy(self, client, text, minute):
        """A text of 1 to 40 characters is a page. In each minute of the clock (12:00:00 to
        12:01:00), a user may copy 3, over all connections and servers. The answer is `copied
        hello`."""
        client.copied_in = self.burst
        self.copied = [*self.copied, (client.user, minute, client.id)]
        client.send(f"copied {text}")

    def put_off(self, client):
        """A further page gets `wait 17`: the seconds until the next minute, rounded up."""
        client.send(f"wait {math.ceil(MINUTE - self.now % MINUTE)}")

    def disconnect(self, client):
        # A page may not have been counted yet when the server cancels the consumer.
        if client.end == "kill" and client.copied_in == self.burst and self.branch():
            self.copied = client.earlier

    def receive_after_close(self, client, text, data):
        """A frame after a close gets no answer and copies nothing."""
        self.too_late = {*self.too_late, (client.user, self.now // MINUTE)}

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if difference.fault or client is None:
            return None
        expected, received = (
            [_word(message) for message in it[difference.first :]]
            for it in (difference.expected, difference.received)
        )
        wanted, got = (it[0] if it else "" for it in (expected, received))
        if (late := difference.late) is not None:
            is_early = difference.times[late] < difference.wanted[late].at
            return "idle-too-early" if is_early else "idle-not-noticed"
        if got in ("still", "4408") and wanted != got:
            is_in_time = False
            if wanted == "still" and received == expected[1:]:  # only the question is missing
                due = difference.wanted[difference.first + 1].at
                is_in_time = difference.times[difference.first] > due - 1
            return "idle-not-noticed" if is_in_time else "idle-too-early"
        if wanted in ("still", "4408") and not received:
            return "idle-not-noticed"
        if wanted == "4401" and got in ("", "copied", "not", "wait"):
            return "anonymous-let-in"
        if (wanted, got) == ("not", "copied"):
            is_long = len(difference.step.arguments.get("text", "")) > MAX_LENGTH
            return "length-not-limited" if is_long else None
        if (wanted, got) == ("wait", "copied"):
            return self.of_too_many(client, difference)
        if (wanted, got) == ("wait", "wait"):
            return "retry-after-wrong"
        if (wanted, got) == ("copied", "wait"):
            return self.of_too_few(client, difference)
        return None

    def of_too_many(self, client, difference):
        if any(step.together or step.point is not None for step in difference.steps_so_far):
            return "quota-raced"
        own = self.pages_of(client)
        if len([page for page in own if page[2] == client.id]) >= PAGES:
            return "quota-not-kept"
        servers = [self.by_connection[it].handshake.get("server") for _, _, it in own]
        is_of_server = servers.count(client.handshake.get("server")) >= PAGES
        return "quota-of-each-connection" if is_of_server else "quota-of-each-server"

    def of_too_few(self, client, difference):
        minute = self.now // MINUTE
        if (client.user, minute) in self.refused | self.too_late:
            return "refused-counted"
        if len([page for page in client.earlier if page[1] == minute]) > len(self.pages_of(client)):
            return "quota-of-all-users"
        has_earlier = any(page[0] == client.user and page[1] < minute for page in client.earlier)
        return "quota-not-renewed" if has_earlier else "quota-too-small"

    def pages_of(self, client):
        return [it for it in client.earlier if it[:2] == (client.user, self.now // MINUTE)]


def _word(message):
    """Return the first word of a frame, the code of a close, or else the type."""
    text = message.get("text")
    return (
        text.partition(" ")[0]
        if isinstance(text, str)
        else f"{message.get('code', message['type'])}"
    )


def test_copies_three_pages_and_then_says_how_long_to_wait(play):
    """A user may copy three pages in a minute. For the fourth, the answer is `wait 60`."""
    play(USED_UP)
    play(f'account ada {{"is_staff": true, "is_superuser": true}} | {USED_UP}')
    play("connect as=ada | wait 16.98 | text one | text two | text three | text four")


def test_counts_all_connections_of_a_user(play):
    """The connections of a user share the three pages, also one that has ended."""
    play("connect as=ada | 2 connect as=ada/2 | text 1 | 2 text 2 | text 3 | 2 text 4 | text 5")
    play(f"{USED_UP} | close | connect as=ada | text five")
    play(f'{USED_UP} | account ada {{"username": "lady"}} | 2 connect as=ada | 2 text five')


def test_counts_on_all_servers(play):
    """The servers share the three pages."""
    play(f"{USED_UP} | 2 connect as=ada server=2 | 2 text five")
    play("connect as=ada | 2 connect as=ada server=2 | text 1 | 2 text 2 | 2 text 3 | text 4")


def test_each_user_has_three_pages(play):
    """Another user has three other pages."""
    for other in ("bob", "Ada", "adam"):
        play(f"{USED_UP} | 2 connect as={other} | 2 text 1 | 2 text 2 | 2 text 3 | 2 text 4")
    many = " | ".join(f"connect as=user{number} | text one | close" for number in range(9))
    play(f"{USED_UP} | close | {many}")


def test_each_minute_has_three_pages(play):
    """With each minute of the clock, a user gets three new pages."""
    minute = "text one | text two | text three | text four"
    # The minute hand is where it was, less than an hour later.
    play(f"connect as=ada | wait 29.5 | {minute} | close | wait 3580 | connect as=ada | {minute}")
    play(
        f"connect as=ada | wait 29.5 | {minute} | wait 29.5 | text | wait 0.5 | text five"
        f" | wait 0.5 | {minute}"
    )
    play(
        "connect as=ada | text 1 | wait 29.5 | text 2 | wait 29.5 | text 3 | text 4 | wait 1.5"
        " | text 5 | text 6 | text 7 | text 8 | wait 29.5 | text 9 | wait 29.5 | text 10"
    )
    for seconds in (3600, 24 * 3600, 7 * 24 * 3600):
        play(f"{USED_UP} | close | wait {seconds} | connect as=ada | {minute}")


def test_only_one_of_two_gets_the_last_page(play):
    """If two clients of a user copy at the same moment, only one gets the last page."""
    both = "connect as=ada | 2 connect as=ada server=2 | text one | text two"
    play(f"{both} | text three | & 2 text four")
    play.at_each_point(f"{both} | text three | at * 2 text four | text five")
    play.at_each_point(
        "connect as=ada | 2 connect as=ada server=2 | text one | at * 2 text two"
        " | text three | text four"
    )


def test_any_other_frame_is_not_a_page(play):
    """An empty, a binary or a too long frame gets `not a page`, and does not count."""
    wrong = f'text | bytes 00ff | text "x" * {MAX_LENGTH + 1} | text "é" * 70000 | bytes'
    play(f'connect as=ada | {wrong} | text "é" * {MAX_LENGTH} | text " " | text three | {wrong}')


def test_a_silent_client_is_asked_and_closed(play):
    """A client that sends nothing gets `still there?` after 30 seconds, and 4408 after 60."""
    play("connect as=ada | wait 29.5 | wait 1 | wait 29 | wait 1")
    play(f"{USED_UP} | wait 31 | wait 40 | connect as=ada | wait 70")


def test_each_frame_ends_the_silence(play):
    """After each frame, whatever its answer is, the 30 and the 60 seconds begin again."""
    frames = "wait 25 | text one | wait 25 | text | wait 25 | bytes 00 | wait 31 | text two"
    play(f"connect as=ada | {frames} | wait 45 | text three | wait 70")
    play(f"{USED_UP} | wait 25 | text five | wait 25 | text six | wait 31 | wait 30")
    # Each call of the cache may be slow: the frame came in time, and its answer comes late.
    play.at_each_point("connect as=ada | wait 29.5 | text one | at * wait 0.6 | wait 40")


def test_a_client_that_is_not_logged_in_is_closed(play):
    """A client that is not logged in is accepted and closed with 4401. It copies nothing."""
    play("connect | & text hello | & bytes 00 | 2 connect as=ada | 2 text hello")


def test_answers_no_frame_after_the_close(play):
    """A frame that arrives after the close for silence gets no answer, and copies nothing."""
    frames = "2 text one | 2 text two | 2 text three | 2 text four"
    play.at_each_point(
        f"connect as=ada | wait 31 | wait 30 | at * text hello | & text again"
        f" | 2 connect as=ada | {frames}"
    )


def test_no_task_continues_after_the_end(play):
    """However the connection ends, no task continues, and nothing more is sent."""
    for end in ("close 1001", "vanish", "crash", "kill"):
        play(["connect as=ada", "text one", end, "2 connect as=bob", "2 wait 70"])
    play("connect as=ada | wait 40 | close | wait 40")
