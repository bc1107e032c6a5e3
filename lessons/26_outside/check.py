"""Lesson 26: does each client learn how far its job is, and does no report harm the job?"""

import math
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

from lessons.workshop.judge import Answer, Model

TABLE = "layers_demo.Job"
JOBS = f'load {{"{TABLE}": [{{"percent": 0}}, {{"percent": 0}}, {{"percent": 100}}]}}'
AGAIN_AFTER = (0.5, 1.0, 1.5)  # seconds after the first try
MAX_SECONDS = 3  # for one call
MAX_MESSAGES = 2  # for one consumer, of one report: a second group is fine, a loop is not
SLACK = 0.05  # seconds
FIRST, SECOND, ENDED = (f"/ws/layers/outside/{job}/" for job in (1, 2, 3))

STORES = (
    "If the percent is higher than the row's, `report` stores it, sends a message, and returns"
    " True, otherwise False."
)
TRIES = (
    "If the layer raises an exception, `report` sends again after half a second, at most three more"
    " times. Then it returns True."
)
AFTER_EACH = "After each message, it sends the percent if it has grown."
REDIS_FAILS = "ConnectionError: ", "TimeoutError: Timeout connecting", "OutOfMemoryError: "
PROMISES = {
    "A job is an existing row of `Job`": "setups",
    "It runs in a process without sockets": "others",
    "A client watches it": "handshakes",
    "Then it returns True": "test_a_job_survives_without_the_layer",
    "It may skip one": "show",
}


class Watch(Model):
    database = True
    setups = ((JOBS,), (JOBS, "call report [1, 30]"))
    handshakes = (*(f"connect {FIRST}",) * 3, f"connect {SECOND}", f"connect {ENDED}")
    texts = ("hello", "100")
    ends = ("close", "vanish", "crash", "kill")
    others = (
        *("call report [1, 10]", "call report [1, 40]", "call report [1, 60]"),
        *("call report [1, 40]", "call report [2, 40]", "call report [1, 100]"),
        *("redis outside gone", "redis back", "redis back", "wait 0.7", "wait 2"),
    )
    last_steps = (f"rows {TABLE}",)
    promise_of: ClassVar = {
        "no-event-arrived": STORES,
        **dict.fromkeys(("job-fails-with-layer", "sent-taken-for-stored"), TRIES),
        **dict.fromkeys(("retries-without-end", "retry-repeats-work"), TRIES),
        **dict.fromkeys(("percent-sent-twice", "layer-message-trusted"), AFTER_EACH),
    }

    def __init__(self):
        super().__init__()
        self.is_reached = True

    def connect(self, client):
        """`Progress` accepts each client, and sends the row's percent, such as `0 %`."""
        client.job = int(client.handshake["path"].split("/")[-2])
        client.shown = -1
        client.accept()
        self.show(client)

    def receive(self, client, text, data):
        """Frames have no effect."""

    def other(self, step):
        if step.action == "redis":
            self.is_reached = step.arguments["state"] == "back"
        return self.report(*step.arguments["arguments"]) if step.action == "call" else None

    def report(self, job, percent):
        """If the percent is higher than the row's, `report` stores it, sends a message, and returns
        True, otherwise False. A job may run twice at once: of two equal reports, one returns
        True."""
        has_grown = percent > self.percent_of(job)
        if has_grown:
            self.save(TABLE, id=job, percent=percent)
            for client in self.watching(job):
                self.tell(client)
            for seconds in () if self.is_reached else AGAIN_AFTER:
                self.after(seconds, self.look_again, job)
        shown = {"returned": has_grown}
        return Answer(shown, lambda it: self.is_answer(it, has_grown))

    def is_answer(self, answer, has_grown):
        # 1 is as good as True. Without the layer, the call may still be trying.
        if answer == {"running": True}:
            return has_grown and not self.is_reached
        return isinstance(answer, dict) and answer.get("returned") == has_grown

    def percent_of(self, job):
        rows = (row["percent"] for row in self.tables[TABLE] if row["id"] == job)
        return next(rows, math.inf)  # without a row, nothing grows

    def watching(self, job):
        # The clients that a message reaches.
        watching = [client for client in self.open_clients if client.job == job]
        return watching if self.is_reached else []

    def tell(self, client):
        """After each message, it sends the percent if it has grown."""
        self.show(client)

    def look_again(self, job):
        """If the layer raises an exception, `report` sends again after half a second, at most three
        more times."""
        for client in self.watching(job):
            self.show(client, at=self.now)

    def show(self, client, at=None):
        percent = self.percent_of(client.job)
        if percent > client.shown:
            client.shown = percent
            # The row may already have this percent when the consumer reads the one before.
            client.expected = [replace(it, may_miss=is_percent(it)) for it in client.expected]
            client.send(f"{percent} %", at=at)
            if percent == 100:
                self.end(client)

    def end(self, client):
        """After `100 %`, it closes with 1000."""
        client.close(1000)

    def fault_in(self, turn, played):
        for call in turn.calls:
            seconds = (turn.time if call.ended is None else call.ended) - call.begun
            if seconds > MAX_SECONDS + SLACK:
                return None, "retries-without-end", f"{call.text} took {seconds:.1f} s."
            if call.ended is not None and call.returned in ("False", "0", "None") and seconds:
                is_last = seconds > AGAIN_AFTER[-1] - SLACK
                name = "sent-taken-for-stored" if is_last else "retry-repeats-work"
                return None, name, f"{call.text} returned {call.returned} after {seconds:.1f} s."
        return self.repeated_message(turn)

    def repeated_message(self, turn):
        # What is wrong if one report alone has led to many messages; else None.
        if [step.partition(" ")[0] for step in turn.steps] == ["call"]:
            for number, client in turn.clients.items():
                if client.handled > MAX_MESSAGES:
                    detail = f"{turn.steps[0]} led to {client.handled} messages."
                    return number, "message-sent-again", detail
        return None

    def diagnose(self, difference):
        if difference.fault:
            is_redis = difference.fault.detail.startswith(REDIS_FAILS)
            return "job-fails-with-layer" if is_redis and difference.client is None else None
        if difference.client is None:
            return self.diagnose_answer(difference)
        seen = difference.seen
        client = self.clients[difference.client]
        received = [percent_in(text) for text in difference.texts(difference.received)]
        if None in received:
            return None
        if any(later == one for one, later in pairwise(received)):
            return "percent-sent-twice"
        if any(later < one for one, later in pairwise(received)):
            return "layer-message-trusted"
        is_new = difference.step.action == "connect"
        if seen.handled and received and not is_new and received[-1] < self.percent_of(client.job):
            return "layer-message-trusted"
        if received[-1:] == [100] and difference.received[-1]["type"] == "websocket.send":
            return "not-closed-as-asked"
        if received and (difference.surplus or {}).get("type") == "websocket.send":
            return self.diagnose_surplus(difference, client, received[-1])
        return self.diagnose_missing(difference, client, received, seen)

    def diagnose_answer(self, difference):
        answer, step = difference.answer, difference.step
        if step.action == "rows":
            rows = answer if isinstance(answer, list) else []
            stored = {row.get("id"): row.get("percent") for row in rows if isinstance(row, dict)}
            wanted = {row["id"]: row["percent"] for row in self.tables[TABLE]}
            differs = {job for job in wanted if stored.get(job) != wanted[job]}
            calls = [it for it in difference.steps_so_far if it.action == "call"]
            if not differs <= {it.arguments["arguments"][0] for it in calls}:
                return None  # the row of another job
            return "old-report-stored" if any(map(stored.get, differs)) else "state-not-stored"
        if not isinstance(answer, dict) or "returned" not in answer:
            return None
        if not self.is_reached and not answer["returned"]:
            return "sent-taken-for-stored"
        together = [it for it in difference.steps_of_burst if it.action == "call"]
        if answer["returned"] is True:
            return "checked-then-saved" if len(together) > 1 else "old-report-stored"
        return None

    def diagnose_surplus(self, difference, client, percent):
        if difference.step.action in ("text", "bytes") and difference.step.client == client.number:
            return None
        if percent == client.shown:
            return "percent-sent-twice"
        if percent == self.percent_of(client.job) and difference.seen.handled:
            return "retries-without-end" if difference.step.action == "wait" else None
        if percent < client.shown:
            return "layer-message-trusted"
        others = {row["percent"] for row in self.tables[TABLE] if row["id"] != client.job}
        return "wrong-room" if percent in others else None

    def diagnose_missing(self, difference, client, received, seen):
        missing = difference.missing
        if not missing or missing["type"] != "websocket.send" or seen.is_busy:
            return None
        actions = {step.action for step in difference.steps_of_burst}
        own = [step for step in difference.steps_of_burst if step.client == client.number]
        if "wait" in actions:
            return "layer-message-trusted" if seen.handled else "message-not-retried"
        if any(step.action == "connect" for step in own):
            return "joined-too-late" if "call" in actions else "late-client-not-told"
        if "call" in actions and seen.handled and not received:
            return "message-before-row"
        return None


def is_percent(item):
    return item.message["type"] == "websocket.send"


def percent_in(text):
    number = text.removesuffix(" %")
    return int(number) if number.isdecimal() and number.isascii() and len(number) < 5 else None


def late_messages(first, second, *between):
    # The first message comes when the row has the second percent already, which comes 0.2 s later.
    reports = f"call report [1, {first}]", *between, "wait 0.2", f"call report [1, {second}]"
    return "redis outside gone", *reports, "redis back", "wait 0.35"


def test_a_report_is_stored(play):
    """`report` stores a higher percent and returns True. Otherwise, it returns False."""
    play([JOBS, "call report [1, 40]", f"rows {TABLE}"])
    play([JOBS, "call report [1, 40]", "call report [1, 40]", "call report [2, 40]"])
    play([JOBS, "call report [1, 40]", "call report [1, 20]", f"rows {TABLE}"])
    play([JOBS, "call report [3, 100]", "call report [2, 100]", "call report [2, 1]"])


def test_only_one_of_two_equal_reports_counts(play):
    """Of two equal reports at the same moment, only one returns True. The higher one stays."""
    play([JOBS, "call report [1, 100]", "& call report [1, 100]", "& call report [1, 100]"])
    for first, second in ((100, 100), (40, 60), (60, 40)):
        reports = f"call report [1, {first}]", f"at * call report [1, {second}]"
        play.at_each_point(" | ".join([JOBS, *reports, f"rows {TABLE}"]))


def test_a_client_sees_the_progress_of_its_job(play):
    """A client receives each new percent of its job, and of no other job."""
    watch = f"connect {FIRST}", f"2 connect {SECOND}", "call report [1, 40]", "2 text hello"
    again = "call report [2, 60]", "call report [1, 40]", "call report [1, 20]"
    last = f"3 connect {FIRST}", "call report [1, 60]", "call report [2, 61]"
    play([JOBS, *watch, *again, *last])
    # The consumer looks while the report goes on.
    report = "call report [1, 40]", "at * 2 text hello"
    play.at_each_point(" | ".join([JOBS, f"connect {FIRST}", f"2 connect {SECOND}", *report]))


def test_a_late_client_learns_the_state(play):
    """A client that connects late receives the percent at once."""
    play([JOBS, "call report [1, 40]", f"connect {FIRST}", f"2 connect {SECOND}"])
    play([JOBS, f"connect {FIRST}", "call report [1, 40]", "close", f"connect {FIRST}"])


def test_no_moment_is_too_early(play):
    """A report is not missed while a client connects, nor shown twice."""
    for percent in (40, 100):
        play.at_each_point(f"{JOBS} | connect {FIRST} | at * call report [1, {percent}]")


def test_the_end_closes_each_client_once(play):
    """After `100 %`, each client is closed with 1000, also one that connects later."""
    play([JOBS, f"connect {FIRST}", f"2 connect {FIRST}", "call report [1, 100]"])
    play([JOBS, f"connect {ENDED}", f"connect {FIRST}", "call report [3, 100]"])
    play([JOBS, f"connect {FIRST}", "call report [1, 99]", "& call report [1, 100]"])


def test_a_late_message_shows_nothing_old(play):
    """A client never receives a lower percent, even if an earlier message arrives later."""
    reports = "call report [1, 40] | at * call report [1, 60]"
    play.at_each_point(f"{JOBS} | connect {FIRST} | {reports}")
    play.at_each_point(
        f"{JOBS} | connect {FIRST} | call report [1, 99] | at * call report [1, 100]"
    )


def test_a_job_survives_without_the_layer(play):
    """Without the layer, the percent is stored, and `report` ends with True within 3 seconds."""
    play([JOBS, "redis gone", "call report [1, 40]", "wait 4", f"rows {TABLE}"])
    play([JOBS, "redis gone", "call report [1, 40]", "wait 4", "redis back", f"connect {FIRST}"])


def test_the_message_is_tried_again(play):
    """If the layer is back in time, the message reaches the client."""
    for seconds in (0.2, 0.7, 1.2, 1.7):  # the last try has been made before
        steps = "redis outside gone", "call report [1, 40]", f"wait {seconds}", "redis back"
        play([JOBS, f"connect {FIRST}", *steps, "wait 2"])
    steps = "redis outside full", "call report [1, 40]", "wait 0.7", "redis back", "wait 2"
    play([JOBS, f"connect {FIRST}", *steps])
    steps = "redis outside gone", "call report [1, 40]", "wait 4", "redis back", "wait 2"
    play([JOBS, f"connect {FIRST}", *steps, "call report [1, 40]", "call report [1, 60]"])
    again = "redis outside gone", "call report [1, 80]", "wait 1.2", "redis back", "wait 2"
    play([JOBS, f"connect {FIRST}", *steps, *again])
    play([JOBS, *late_messages(40, 60, f"connect {FIRST}"), "wait 0.2"])
    play([JOBS, f"connect {FIRST}", *late_messages(40, 60), "wait 0.2", "call report [1, 80]"])
    play([JOBS, f"connect {FIRST}", *late_messages(99, 100), "wait 0.2"])


def test_frames_have_no_effect(play):
    """A frame brings no percent back, and does not stop the end."""
    for frame in ("text hello", "text", "bytes 00"):
        play([JOBS, f"connect {FIRST}", *late_messages(40, 60), frame, "wait 0.2"])
        lost = "redis outside gone", "call report [1, 40]", "wait 4", "redis back"
        play([JOBS, f"connect {FIRST}", *lost, frame])
        play([JOBS, f"connect {FIRST}", frame, "call report [1, 100]"])


def test_clients_that_left_leave_nothing_behind(play):
    """However clients leave, the others receive the next percent."""
    clients = f"connect {FIRST}", f"2 connect {FIRST}", f"3 connect {FIRST}"
    ends = "close", f"connect {FIRST}", "vanish", f"connect {FIRST}", "crash", "2 kill"
    play([JOBS, *clients, *ends, "call report [1, 40]"])
