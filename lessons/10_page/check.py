"""Lesson 10: does each page receive the parts that it lacks, and the code that fits?"""

import json
from typing import ClassVar
from urllib.parse import parse_qs

from lessons.workshop.judge import Model, near

PARTS = ("The ship", "The island", "The storm", "The letter", "Home")
PLACES = 3
# Texts that int() or isdigit() accepts, and others. Each is percent-encoded.
WRONG = (
    *("two", "6", "7", "99", "-1", "-0", "%2B1", "00", "01", "05", "1.0", "1e0", "0x1", "1_0"),
    *("1,2", "", "%201", "1%20", "%0A1", "1%0A", "%D9%A3", "%C2%B2", "%EF%BC%91", "None", "null"),
    *("true", "012345", "12", "0%001", "1%00", "9" * 30, "9" * 5000, "2=3"),
)
PROMISES = {
    "The page connects with the number": "handshakes",
    "Without a part": "test_goes_on_after_the_last_part",
    "The page stays away": "This says what a page does.",
    "After 4013 it comes back": "This says what a page does.",
    "`after` is not exactly one": "test_a_wrong_number_closes_with_4400",
    "It is `5`, the last part": "test_a_page_that_has_all_stays_away",
    "Right after part 5": "test_reads_all_parts_once",
    "After another frame": "test_a_wrong_frame_closes_with_4400",
}


class Reading(Model):
    handshakes = (
        *("connect", "connect", "connect ?after=0", "connect ?after=3", "connect ?after=4"),
        *("connect ?after=5", "connect ?part=5", "connect ?x=9&after=4&y=5"),
        *(f"connect ?after={text}" for text in ("6", "01", "two", "%D9%A3")),
        *("connect answers=0.7", "connect ?after=4 answers=0.7"),
    )
    inputs: ClassVar = {"connect ?…=4": near("after")}
    texts = ("next", "next", "next", "next ", "Next", "nextnext", "5")
    others = ("wait 0.5",)
    ends = ("close", "close 1001", "vanish", "crash", "kill")
    max_clients = 5
    clients_are_independent = False  # they share the places
    closes_once = True
    silent_after_disconnect = True
    promise_of: ClassVar = {
        "closed-early": "Otherwise it is a reader until its connection ends.",
        "place-lost": "Three other clients are readers: close with 4013. Otherwise it is a reader "
        "until its connection ends.",
    }

    def connect(self, client):
        """Accept each client. Then take the first point that fits"""
        client.accept()
        client.reads = False
        after = parse_qs(client.handshake.get("query", ""), keep_blank_values=True)
        after = after.get("after", ["0"])[-1]
        if after not in ("0", "1", "2", "3", "4", "5"):
            client.close(4400, promise="`after` is not exactly one of `0`, `1`, `2`, `3`, `4`, `5`")
        elif after == "5":
            client.close(1000, promise="It is `5`, the last part: close with 1000.")
        else:
            client.first = client.last = int(after)
            client.came, client.reads = self.burst, True
            if len(self.readers) > PLACES:
                self.close_one(client)

    def begin_burst(self, burst, before, turn):
        super().begin_burst(burst, before, turn)
        # A consumer may also stop right after its close.
        self.stopped = {number for number, seen in turn.clients.items() if seen.ended}

    @property
    def readers(self):
        readers = (it for it in self.clients.values() if it.reads)
        return [it for it in readers if it.is_open or it.number not in self.stopped]

    def close_one(self, client):
        """Three other clients are readers: close with 4013."""
        # The accept may suspend, so of clients that come at the same time, any may be the last.
        rivals = [it for it in self.open_clients if it.came == self.burst and it.last == it.first]
        last = self.branch([client, *(it for it in rivals if it is not client)])
        last.reads = False
        last.close(4013)

    def receive(self, client, text, data):
        """For each text frame `next`, it gets the next part, such as `3 The storm`."""
        if text != "next":
            client.close(4400, promise="After another frame, close with 4400.")
            return
        client.last += 1
        client.send(f"{client.last} {PARTS[client.last - 1]}")
        if client.last == len(PARTS):
            client.close(1000, promise="Right after part 5, close with 1000.")

    def receive_after_close(self, client, text, data):
        """Send nothing after your close."""

    def disconnect(self, client):
        """Otherwise it is a reader until its connection ends."""

    def diagnose(self, difference):
        if difference.client is None:
            return None
        if difference.fault:
            is_of_number = any(it in difference.fault.detail for it in ("int", "index"))
            is_of_number = is_of_number and difference.step.action == "connect"
            is_own = difference.fault.diagnosis == "exception"
            return "error-brings-back" if is_own and is_of_number else None
        return self.wrong_close(difference) or self.wrong_part(difference)

    def wrong_close(self, difference):
        codes = [it.get("code") for it in difference.received if it["type"] == "websocket.close"]
        wanted = [it["code"] for it in difference.expected if it["type"] == "websocket.close"]
        if wanted and codes and difference.received[0]["type"] == "websocket.close":
            return "refused-without-reason" if difference.step.action == "connect" else None
        if wanted and codes and wanted != codes:
            if stays_away(codes[0]) == stays_away(wanted[0]):
                return None
            return "stays-away" if stays_away(codes[0]) else "comes-back-for-ever"
        if difference.step.action != "connect":
            return None
        if wanted == [4013] and not codes:
            return "place-given-back" if self.turned_away(difference) else "place-too-many"
        if wanted == [4400] and not codes:
            return "wrong-number-served"
        is_own = difference.step.client == difference.client
        return "place-lost" if is_own and codes == [4013] and not wanted else None

    def turned_away(self, difference):
        # Whether an earlier client has received 4013: the places were counted rightly before.
        earlier = difference.played.bursts[: difference.burst]
        seen = (client for turn in earlier for client in turn.clients.values())
        return any(it.get("code") == 4013 for client in seen for _, it in client.received)

    def wrong_part(self, difference):
        if difference.step.action != "text" or difference.pair is None:
            return None
        wanted, received = (it.get("text", "") for it in difference.pair)
        known = {f"{number} {part}" for number, part in enumerate(PARTS, 1)}
        if not {wanted, received} <= known:
            return None
        others = [it.last for it in self.clients.values() if it.reads]
        if len(self.clients) > 1:
            is_of_other = int(received[0]) - 1 in others
            return "wrong-connection" if is_of_other else None
        return "last-id-ignored"


def stays_away(code):
    """Return whether the page stays away after a close with this code. None means 1000."""
    return code in (None, 1000) or 4400 <= code <= 4499


THREE = "connect answers=1 | 2 connect | 3 connect"


def test_reads_all_parts_once(play):
    """A client gets the parts in order. Right after part 5, its connection closes with 1000."""
    play("connect | text next | text next | text next | text next | text next")


def test_goes_on_after_the_last_part(play):
    """A client that comes back with the number of its last part gets the next one."""
    for last in range(5):
        play([f"connect ?after={last}", *["text next"] * (5 - last)])
    play("connect | text next | text next | vanish | connect ?after=2 | text next")
    play("connect ?part=4 | text next")
    play("connect ?x=1&after=3&y=2 | text next")


def test_a_page_that_has_all_stays_away(play):
    """With `?after=5`, the client gets no part, and its connection closes with 1000."""
    play("connect ?after=5")


def test_a_wrong_number_closes_with_4400(play):
    """With any other `after`, the client is accepted, and closed with 4400."""
    for text in WRONG:
        play(f"connect ?after={text}")


def test_a_wrong_frame_closes_with_4400(play):
    """Each frame that is not the text `next` closes with 4400."""
    for frame in ("text Next", "text next ", "text", "text 1", "bytes 6e657874", "bytes"):
        play(["connect ?after=1", "text next", frame])
    visits = (("connect", f"text {json.dumps(text)}", "close") for text in near("next")[1:])
    play([step for visit in visits for step in visit])


def test_the_fourth_reader_comes_later(play):
    """While three clients read, a fourth is closed with 4013. It gets a place when one leaves."""
    three = ["connect", "2 connect ?after=3", "3 connect"]
    play([*three, "wait 3601", *(f"4 connect ?after={last}" for last in range(5)), "5 connect"])
    play([*three, *["text next"] * 4, "4 connect"])
    play([*three, "2 text next", "2 text next", "4 connect", "4 text next"])
    for end in ("close", "close 1001", "vanish", "crash", "kill", "text stop"):
        play([*three, f"2 {end}", "4 connect", "4 text next", "5 connect"])


def test_the_first_point_that_fits_counts(play):
    """While three clients read, a wrong number still closes with 4400, and `5` with 1000."""
    play("connect | 2 connect | 3 connect | 4 connect ?after=6 | 5 connect ?after=5")


def test_a_closed_client_takes_no_place(play):
    """Clients that were closed with 4400, 4013 or 1000 take no place."""
    refused = ["connect ?after=6", "connect ?after=5", "connect ?after=two", "connect ?after=01"]
    play([*refused, "connect", "2 connect", "3 connect", "4 connect", "3 close", "4 connect"])
    play(f"4 connect ?after=6 answers=1 | 5 connect ?after=5 answers=1 | {THREE}")
    play(f"{THREE} | 4 connect answers=1 | 3 close | 5 connect")


def test_a_closed_reader_takes_its_place_until_it_has_left(play):
    """A reader that was closed is a reader until its connection has ended."""
    play(f"{THREE} | 6 connect | text stop | 4 connect | wait 2 | 5 connect")
    play(f"{THREE} | text stop | vanish | 4 connect | 5 connect")
    play("connect ?after=4 answers=1 | 2 connect | 3 connect | text next | 4 connect | wait 2")


def test_two_clients_at_once_get_one_place(play):
    """Of two clients that come at the same moment, one gets the last place."""
    play.at_each_point("connect | 2 connect | 3 connect | at * 4 connect")


def test_a_handshake_that_breaks_off_keeps_no_place(play):
    """A client whose connection ends while it is accepted leaves its place to others."""
    gone = " | ".join(["connect | at * kill"] * 3)
    play.at_each_point(f"{gone} | {THREE}")


def test_frames_after_the_close_get_nothing(play):
    """A frame that the client sent before it received the close gets no answer."""
    play("connect ?after=4 | text next | & text next | & text other | & bytes 00")
    play("connect | text stop | & text next | & text stop")
    play("connect ?after=6 | & text next | & text stop")
    play("connect ?after=5 | & text next | & text stop")


def test_places_come_back_every_time(play):
    """After forty clients have left early, and three at the end, there are three places."""
    ends = ("close", "vanish", "crash", "kill", "text stop")
    visits = [step for n in range(40) for step in ("connect", "text next", ends[n % 5])]
    visits += ["connect ?after=4", "text next", "close"] * 3
    play([*visits, "connect", "2 connect", "3 connect", "4 connect"])
