"""Lesson 15: does a job reach the worker, and the answer the connection that asked?"""

import datetime
import re
from typing import ClassVar

from lessons.workshop.judge import Answer, Model

CHANNEL = "weekdays"
AT_ONCE = {"asked", "busy"}
OWN = "specific."  # in the name of every channel that belongs to one consumer
PATIENCE = 2  # seconds that a job may take, after those before it
OWN_ANSWERS = "Each answer goes only to the connection that asked."
ONCE_DONE = "Once a worker has done the job, the client receives `2026-11-21: Saturday`."
DATES = (
    "The text in the answer is unchanged. "
    "Every text that `datetime.date.fromisoformat` accepts is a date, `20261121` too."
)
NO_DATES = "`2026-1-2` and an empty text are not dates."
MAY_BE_LOST = "A job may be lost: then the client receives no answer, and may ask again."
MORE_TEXTS = "A client may send more texts before an answer comes."
NEAR_DATES = (
    *("2026/11/21", "2026.11.21", "2026-11-21Z"),
    *("\u0662\u0660\u0662\u0666-\u0661\u0661-\u0662\u0661", "1900-02-29"),
)
PROMISES = {
    "A client sends a text": "texts",
    "Every text that `datetime.date.fromisoformat` accepts is a date": "texts",
    "`2026-1-2` and an empty text": "test_a_text_that_is_not_a_date_is_answered",
    "Each answer goes only to the connection": "test_each_connection_gets_its_own_answers",
    "A client may send more texts": "test_the_handler_waits_for_no_worker",
    "A job may be lost": "test_a_lost_job_holds_up_no_client",
    "`manage.py runworker weekdays` runs": "This says how to run it.",
    "Calendar may take 2 seconds for a job": "work",
}


def answer_to(text):
    try:
        return f"{text}: {datetime.date.fromisoformat(text):%A}"
    except ValueError:
        return f"{text}: not a date"


class Office(Model):
    texts = (
        *("2026-11-21", "2026-W47-6", "hello", "20261121", "1969-07-21", "2026-02-30", "2026-1-2"),
        *("2024-02-29", "0001-01-01", "9999-12-31", "2026-11-21T00:00", " 2026-11-21"),
        *("2026W47", "2026-W47", "2026W476", "2026-W53-1", "20261121T00"),
    )
    inputs: ClassVar = {"text …": NEAR_DATES}
    handshakes = ("connect", "connect server=2")
    others = ("worker weekdays", "worker weekdays", "kill-workers", "take weekdays", "wait 1")
    setups = (("worker weekdays",), (), ("capacity 5",))
    pauses = (6, 61)  # a worker that waits takes real time, too
    last_steps = ("worker weekdays", "wait 30")
    promise_of: ClassVar = {
        **dict.fromkeys(("answered-everyone", "worker-remembers"), OWN_ANSWERS),
        **dict.fromkeys(("job-lost", "waits-for-answer", "answer-of-another-text"), MORE_TEXTS),
        "wrong-time": "Calendar may take 2 seconds for a job, not more.",
    }

    def __init__(self):
        super().__init__()
        self.asked = set()  # all texts
        self.jobs = []  # connections and texts; they wait for a worker
        self.lost = []  # the texts of jobs that were taken and not done
        self.has_worker = False
        self.free_at = 0.0  # the latest time at which the jobs so far have been done

    def connect(self, client):
        client.asked = client.busy = 0
        client.accept()

    def receive(self, client, text, data):
        if text is None:
            self.receive_bytes(client)
        else:
            self.ask(client, text)

    def receive_bytes(self, client):
        """You may ignore a binary frame, or take it for an empty text."""
        if self.branch():
            self.ask(client, "", self.promise)

    def ask(self, client, text, promise=""):
        """At once it receives `asked`, or, if the channel is full, only `busy`."""
        if len(self.jobs) >= self.capacity:
            client.busy += 1
            client.send("busy", promise=promise)
            return
        client.asked += 1
        self.asked.add(text)
        client.send("asked", promise=promise)
        self.jobs.append((client.id, text))
        self.work()

    def other(self, step):
        match step.action:
            case "worker":
                self.has_worker = True
                self.work()
            case "kill-workers":
                self.has_worker, self.free_at = False, self.now
                for client in self.clients.values():
                    client.expected = [it for it in client.expected if it.until is None]
            case "take":
                return self.take_job()
        return None

    def take_job(self):
        if not self.jobs:
            return Answer(None)
        _, text = self.jobs.pop(0)
        promise = MAY_BE_LOST if text in self.lost else ONCE_DONE
        self.lost.append(text)
        shown = f"a job for {text!r}"
        return Answer(shown, lambda answer: isinstance(answer, dict), promise=promise)

    def work(self):
        while self.has_worker and self.jobs:
            connection, text = self.jobs.pop(0)
            client = self.by_connection[connection]
            self.free_at = max(self.free_at, self.now) + PATIENCE
            self.tell(client, text)

    def tell(self, client, text):
        """Once a worker has done the job, the client receives `2026-11-21: Saturday`. For
        `hello`, it receives `hello: not a date`. The text in the answer is unchanged."""
        answer = answer_to(text)
        is_usual = re.fullmatch(r"\D+|\d{4}-\d\d-\d\d", text)
        promise = "" if is_usual else DATES
        promise = NO_DATES if text in ("", "2026-1-2") else promise
        client.send(answer, until=self.free_at, promise=promise)

    def diagnose(self, difference):
        calls = Calls(difference.events)
        if difference.fault:
            return cause_in_worker(difference.fault, calls)
        if difference.client is None:
            return self.cause_of_no_job(calls) if difference.answer is None else None
        expected = difference.texts(difference.expected)
        received = difference.texts(difference.received)
        if expected == ["busy"]:
            is_wrong = AT_ONCE.issuperset(received) and not difference.seen.is_busy
            return "full-channel-not-reported" if is_wrong else None
        if difference.seen.is_busy:
            return "waits-for-answer" if calls.jobs else None
        if not (AT_ONCE | self.known_answers()).issuperset(received):
            return self.cause_of_wrong_text(difference)
        missing = [text for text in expected if text not in received]
        client = self.clients[difference.client]
        due = {it.message.get("text") for it in client.expected if it.until}  # its own answers
        surplus = [text for text in received if text not in {*expected, *due}]
        if surplus and not calls.by_worker and not AT_ONCE.issuperset(surplus):
            return "done-in-web-process"
        if surplus and not AT_ONCE.issuperset(surplus):
            is_for_all = any(call["type"] == "group_send" for call in calls.by_worker)
            return "answered-everyone" if is_for_all else "worker-remembers"
        if "asked" in missing:
            is_waiting = client.asked > 1 and difference.step.arguments.get("text")
            is_waiting = is_waiting and not client.busy  # or it remembers that
            return "job-lost" if is_waiting and surplus in ([], ["busy"]) else None
        return self.cause_of_no_answer(calls, missing, client.channel) if missing else None

    def cause_of_wrong_text(self, difference):
        # The answer to one text may name another that was asked.
        expected, received = (it.get("text", "") for it in difference.pair or ({}, {}))
        text, _, answer = received.partition(": ")
        is_other = text in self.asked and received not in self.known_answers()
        is_its_own = answer == expected.partition(": ")[2]
        return "answer-of-another-text" if is_other and is_its_own else None

    def cause_of_no_job(self, calls):
        if any(call.get("group") == CHANNEL for call in calls.by_web):
            return "group-as-channel"
        if not calls.jobs and any(it["type"] == "send" for it in calls.by_web):
            return "wrong-channel"
        return "job-not-sent" if len(calls.jobs) < self.number_of_jobs() else None

    def number_of_jobs(self):
        return sum(client.asked for client in self.by_connection.values())

    def known_answers(self):
        return {answer_to(text) for text in self.asked}

    def cause_of_no_answer(self, calls, missing, channel):
        if cause := self.cause_of_no_job(calls):
            return cause
        groups = {call["group"] for call in calls.by_web if call["type"] == "group_add"}
        channels = {call["channel"] for call in calls.by_worker if call["type"] == "send"}
        to_groups = {call["group"] for call in calls.by_worker if call["type"] == "group_send"}
        if groups & channels or to_groups - groups:
            return "group-as-channel"
        if calls.answered_itself:
            return "answered-itself"
        if not any(way in str(calls.jobs) for way in {OWN, *groups}):
            return "reply-channel-missing"
        if len(calls.begun) < self.number_of_jobs() - len(self.lost):
            return "job-holds-others"
        to_others = [it for it in calls.by_worker if it.get("channel") != channel]
        if any(text.partition(": ")[2] in str(to_others) for text in missing):
            return "worker-remembers"
        return "job-unanswered" if len(calls.by_worker) < len(calls.begun) else None


class Calls:
    """The calls of the channel layer, and the jobs that a worker began, in a conversation."""

    def __init__(self, events):
        workers = {it.connection for it in events if "channel" in it.message and is_scope(it)}
        calls = [it for it in events if it.lane == "layer" and it.direction == "out"]
        self.by_web = [it.message for it in calls if it.connection not in workers]
        self.by_worker = [it.message for it in calls if it.connection in workers]
        self.jobs = [call for call in self.by_web if call.get("channel") == CHANNEL]
        own = [it for it in events if it.connection in workers and it.direction == "in"]
        self.begun = [it for it in own if not is_scope(it)]
        channels = [str(it["channel"]) for it in self.by_worker if it["type"] == "send"]
        self.answered_itself = any(OWN in it and it not in str(self.jobs) for it in channels)


def is_scope(event):
    return event.message.get("type") == "scope"


def cause_in_worker(fault, calls):
    """Return the diagnosis of an exception in the worker, or None."""
    if fault.diagnosis == "job-raises" and fault.detail.startswith("KeyError: "):
        return None if OWN in str(calls.jobs) else "reply-channel-missing"
    is_own = fault.diagnosis == "job-not-handled" and calls.answered_itself
    return "answered-itself" if is_own else None


def test_a_worker_does_the_job(play):
    """The client receives `asked`, then the worker's answer."""
    play("worker weekdays | connect | text 2026-11-21 | wait 2 | text 1969-07-21 | wait 2")
    play(["worker weekdays", "connect", *["text 2026-11-21", "wait 2"] * 28])


def test_the_handler_waits_for_no_worker(play):
    """Without a worker, each text is answered with `asked`, and the jobs wait."""
    play(
        "connect | text 2026-11-21 | text 1969-07-21 | wait 50 | worker weekdays | wait 14"
        " | text 2000-01-02 | wait 14"
    )


def test_each_connection_gets_its_own_answers(play):
    """Each client receives only its own answers, even if another client asks or leaves first."""
    play(
        "connect | 2 connect | 3 connect | text 2026-11-21 | 2 text 1969-07-21 | 3 text 2000-01-02"
        " | 2 close 1001 | worker weekdays | wait 14 | 3 text 1969-07-21 | text 2000-01-02"
        " | wait 14"
    )


def test_a_text_that_is_not_a_date_is_answered(play):
    """A text that is not a date is answered with `not a date`, and no later job is lost."""
    jobs = ("2026-11-21", "hello", "20261121", "2026-1-2", "2026-02-30", " 2026-11-21", "")
    play(["connect", *(f"text {job}" for job in jobs), "worker weekdays", "wait 14"])
    play("worker weekdays | connect | bytes 00 | wait 14 | text 2026-11-21 | wait 14")
    play(["worker weekdays", "connect", *["text hello", "wait 2"] * 60])


def test_a_lost_job_holds_up_no_client(play):
    """If a worker dies with a job, the client may ask again, and the next worker answers."""
    play(
        "connect | text 2026-11-21 | take weekdays | text 2026-11-21 | take weekdays"
        " | worker weekdays | text 1969-07-21 | wait 14 | kill-workers | worker weekdays"
        " | text 2000-01-02 | wait 14"
    )
    play(["connect", *["text 2026-11-21", "take weekdays"] * 101])
    visit = "2 connect", "2 text 2026-11-21", "2 close 1001", "take weekdays"
    play([*visit * 101, "connect", "text 2026-11-21"])
    play("connect | text 2026-11-21 | take weekdays | wait 61 | wait 3601 | worker weekdays")


def test_a_full_channel_is_reported(play):
    """If the channel is full, the client receives only `busy`, and may ask again later."""
    play(
        "capacity 3 | connect | text 2026-11-21 | text hello | text 1969-07-21 | text 2000-01-02"
        " | text hello | wait 14"
        " | take weekdays | take weekdays | take weekdays | take weekdays"
        " | text 2000-01-02 | worker weekdays | wait 14 | text 2026-11-21 | wait 14"
    )
    play(
        "capacity 1 | connect | text hello | text 2000-01-02 | worker weekdays | text 2026-11-21"
        " | wait 2"
    )
