"""Lesson 25: do the client's `ok` and `stop` control a stream of pieces?"""

import json
import re
from typing import ClassVar

from lessons.workshop.judge import TEXTS, Model, parse_step

WINDOW, WAITING, SECONDS = 3, 2, 0.5
ROOM = (
    "Call `next_word` while, and only while, fewer than three pieces of all answers are "
    "unconfirmed."
)
ONE = "`ok` confirms one piece, if any."
OK = " | text ok"
QUESTIONS = [f"text {json.dumps(text)}" for text in TEXTS if "|" not in text and len(text) < 9000]
PROMISES = {
    "`next_word` stands for a language model": "test_an_answer_arrives_in_pieces",
    "Call it once for each word": "test_an_answer_arrives_in_pieces",
    "The consumer answers one question at a time": "test_answers_come_in_order",
    "`ok` confirms one piece": "test_room_is_not_saved_up",
    "However a connection ends": "ends",
}


class Answers(Model):
    texts = ("tea", "ok", "stop", "impossible tea", "milk and sugar")
    others = ("wait 0.65", "wait 0.8", "wait 2.2", "wait 10")
    ends = ("close", "close 1001", "vanish", "crash", "kill")
    promise_of: ClassVar = {
        "window-too-small": ROOM,
        "window-stays-closed": ROOM,
        "window-ignored": ROOM,
        "window-per-answer": ROOM,
        "room-saved-up": ONE,
        "confirms-all": ROOM,
        **dict.fromkeys(
            ("cleanup-skipped", "task-left-behind", "stream-outlives-client"),
            "However a connection ends, its tasks end, even if websocket_connect has not run.",
        ),
        "exception-hidden": "An exception of a handler leaves the consumer.",
    }
    # Many answers, all confirmed, and some of them stopped: the window keeps its size.
    long_conversations = (
        "connect" + " | text tea | wait 3 | text ok | text ok | text ok | wait 1" * 40,
        # Each way in which an answer ends, again and again.
        "connect" + " | text tea | wait 0.75 | text stop | text impossible | wait 2 | text tea"
        f"{OK * 3} | wait 2.2{OK * 3}" * 20,
        # The third piece is the first word of the question.
        "connect" + "".join(f" | {it} | wait 2 | text stop{OK * 3}" for it in QUESTIONS),
        # One answer of a thousand pieces.
        f"connect | text {'a ' * 1000}" + " | wait 2 | text ok | text ok | text ok" * 335,
    )

    def connect(self, client):
        client.question = None  # the one that is answered now
        client.waiting = []
        client.unconfirmed = 0
        client.answers = 0  # that have begun
        # What a diagnosis needs to know.
        client.early_oks = client.ended_early = 0
        client.was_stopped = client.was_held = client.was_freed = client.was_ignored = False
        client.accept()

    def receive(self, client, text, data):
        take = self.ignore if text is None else self.take_text
        take(client, text)

    def take_text(self, client, text):
        if text == "ok":
            self.confirm(client)
        elif text == "stop":
            self.stop(client)
        elif client.question is None:
            self.begin(client, text)
        elif len(client.waiting) < WAITING:
            self.keep_waiting(client, text)
        else:
            self.forget(client)

    def ignore(self, client, text):
        """Ignore binary frames."""
        client.was_ignored = True

    def keep_waiting(self, client, text):
        """Two more may wait."""
        client.waiting.append(text)

    def forget(self, client):
        """Another gets `busy`."""
        client.send("busy")

    def confirm(self, client):
        """`ok` confirms one piece, if any."""
        if client.unconfirmed == 0:
            client.early_oks += 1
            return
        waits = is_held(client)
        client.was_freed |= waits
        client.unconfirmed -= 1
        if waits:
            self.ask(client)

    def stop(self, client):
        """`stop` ends the current answer, if any, at once: the client gets `stopped` instead of
        further pieces and `end`."""
        if client.question is not None:
            client.was_stopped = True
            self.end(client, "stopped")

    def begin(self, client, question):
        client.answers += 1
        client.question, client.piece = question, 1
        self.ask(client)

    def ask(self, client):
        """Call `next_word` while, and only while, fewer than three pieces of all answers are
        unconfirmed."""
        client.was_held |= is_held(client)
        if not is_held(client):
            self.after(SECONDS, self.answered, client, client.answers)

    def answered(self, client, answer):
        if not client.is_open or client.question is None or answer != client.answers:
            return
        words = f"You asked: {client.question}".split()
        if client.piece > len(words):
            self.finish(client)
        elif words[client.piece - 1] == "impossible":
            self.fail(client)
        elif client.piece > 1:
            self.send_piece(client, words[client.piece - 1])
        elif client.ended_early:
            self.send_next(client, words[0])
        else:
            self.send_first(client, words[0])

    def send_first(self, client, word):
        """A text frame, even an empty one, is a question, except `ok` and `stop`. The client
        receives numbered pieces, `1 You`, `2 asked:`, and after the last word `end`."""
        self.expect_piece(client, word)

    def send_next(self, client, word):
        """After `stopped` or `failed`, the next question begins."""
        self.expect_piece(client, word)

    def send_piece(self, client, word):
        """The client receives numbered pieces, `1 You`, `2 asked:`, and after the last word
        `end`."""
        self.expect_piece(client, word)

    def expect_piece(self, client, word):
        client.send(f"{client.piece} {word}", at=self.now)
        client.unconfirmed += 1
        client.piece += 1
        self.ask(client)

    def finish(self, client):
        """The client receives numbered pieces, `1 You`, `2 asked:`, and after the last word
        `end`."""
        self.end(client, "end", at=self.now)

    def fail(self, client):
        """If `next_word` raises, the client gets `failed`."""
        self.end(client, "failed", at=self.now)

    def end(self, client, text, **when):
        client.send(text, **when)
        client.ended_early += text != "end"
        client.question = None
        if client.waiting:
            self.begin(client, client.waiting.pop(0))

    def fault_in(self, turn, played):
        """An exception of a handler leaves the consumer."""
        for step in map(parse_step, turn.steps):
            if step.action == "crash" and not turn.clients[step.client].raised:
                return step.client, "exception-hidden", "A handler raised; the consumer did not."
        return None

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        fault = difference.fault and difference.fault.diagnosis
        waits = difference.missing or fault == "handler-never-returned"
        if waits and difference.seen and difference.seen.is_busy:
            in_call = difference.seen.place.handler.endswith(".__call__")
            return None if in_call else "loop-in-handler"
        if fault or client is None:
            return None
        return diagnosis_of_texts(client, difference)


def is_held(client):
    """Whether the answer waits for an `ok`."""
    return client.question is not None and client.unconfirmed == WINDOW


def diagnosis_of_texts(client, difference):
    """The diagnosis for what this client has received, or None."""
    expected = difference.texts(difference.expected)
    received = difference.texts(difference.received)
    first = difference.first if difference.late is None else difference.late
    wanted = expected[first] if first < len(expected) else None
    found = received[first] if first < len(received) else None
    if wanted == "stopped":
        if found == "failed":
            return "stop-reported-as-failure"
        return "stream-not-stopped" if found is None or is_piece(found) else None
    if wanted == "failed" and (found in (None, "end") or is_piece(found)):
        return "failure-not-reported"
    if wanted == "busy":
        return "queue-unbounded"
    if found == "1 You" != wanted and is_piece(wanted) and (client.waiting or client.answers > 1):
        return "answers-mixed"
    if difference.late is not None:
        return "stream-not-stopped" if client.was_stopped and wanted == "1 You" else None
    if found is None and (is_piece(wanted) or wanted == "end"):
        return diagnosis_of_silence(client, wanted)
    if wanted is None and found is not None:
        return diagnosis_of_surplus(client, difference.step, received[first:])
    return None


def diagnosis_of_silence(client, wanted):
    """The diagnosis for a piece or an `end` that did not come, or None."""
    if wanted == "1 You" and client.ended_early:
        return "next-question-lost"
    if wanted == "1 You" and client.question.strip().lower().startswith(("ok", "stop")):
        return None  # perhaps it was taken for a command
    if client.was_freed or client.answers > 1:
        return "window-stays-closed" if client.was_held else None
    return "window-too-small" if is_piece(wanted) and wanted != "1 You" else None


def diagnosis_of_surplus(client, step, surplus):
    """The diagnosis for texts that the client should not have received, or None."""
    pieces = [text for text in surplus if is_piece(text)]
    if surplus[0] == "1 You" and client.question is not None and client.piece > 1:
        return "answers-mixed"
    if step.action == "text" and step.arguments["text"] == "ok" and client.was_held:
        return "asked-without-room"
    if is_held(client) and not pieces:
        words = f"You asked: {client.question}".split()[client.piece - 1 :]
        known = "failed" if words[:1] == ["impossible"] else "end" if not words else None
        return "asked-without-room" if surplus[0] == known else None
    if not pieces or step.action != "wait":
        return None
    if client.unconfirmed < WINDOW:
        return "stream-not-stopped" if client.was_stopped else None
    if client.early_oks:
        return "room-saved-up"
    if client.answers > 1:
        return "window-per-answer"
    if client.was_freed or client.was_ignored:  # perhaps a binary frame has confirmed a piece
        return "confirms-all" if client.was_freed else None
    return "window-ignored"


def is_piece(text):
    return text is not None and re.match(r"\d+ ", text) is not None


def test_an_answer_arrives_in_pieces(play):
    """For an empty question come `1 You`, `2 asked:` and `end`, one each half second."""
    play("connect | text tea | wait 1.6")
    play("connect | text | wait 0.4 | wait 0.2 | wait 0.9")


def test_three_pieces_are_unconfirmed(play):
    """After three unconfirmed pieces the model is not asked, until `ok` confirms one."""
    play("connect | text milk and sugar | wait 5 | text ok | wait 0.4 | wait 0.2 | wait 5")
    play("connect | text milk and sugar | wait 2 | text ok | text ok | wait 5 | text ok | wait 5")
    play("connect | text tea | wait 5 | text ok | wait 0.4 | wait 0.2")


def test_answers_come_in_order(play):
    """The questions are answered one after the other, in their order."""
    confirmed = "wait 5 | text ok | text ok | text ok"
    play(f"connect | text tea | text milk | text | {confirmed} | {confirmed} | wait 5")


def test_questions_wait(play):
    """Frames are handled during an answer: two questions wait, and a further one gets `busy`."""
    play("connect | text tea | text milk | text sugar | text rum | wait 1 | text rum | bytes 00")


def test_only_the_exact_words_are_commands(play):
    """Only `ok` and `stop` are no questions: `OK`, `okay` and `stop it` get an answer."""
    for text in ("OK", '" ok"', "okay", "Stop", "stop it", '"stop\\n"'):
        play(f"connect | text tea | wait 2 | text {text} | text ok | wait 0.6 | text ok | wait 2")
    binary = f"bytes {b'ok'.hex()} | wait 1 | bytes {b'stop'.hex()} | text ok | wait 1"
    play(f"connect | text milk and sugar | wait 2 | {binary}")


def test_earlier_pieces_count(play):
    """An unconfirmed piece of an earlier answer counts."""
    play("connect | text tea | wait 5 | text ok | wait 1 | text tea | wait 5 | text ok | wait 5")


def test_room_is_not_saved_up(play):
    """An `ok` without an unconfirmed piece changes nothing."""
    play("connect | text ok | text ok | text milk and sugar | wait 5")


def test_confirmed_pieces_make_room(play):
    """When all pieces are confirmed, the next answer gets three, whatever ended the one before."""
    confirmed = "text ok | text ok | text ok | wait 1"
    for question, end in (("tea", "wait 5"), ("a b c", "text stop"), ("a impossible", "wait 5")):
        answered = f"text {question} | wait 2 | {end} | {confirmed}"
        play(f"connect | {answered} | text a b c | wait 5")


def test_stop_ends_the_answer(play):
    """At a `stop`, the client gets `stopped`, and no more of this answer."""
    play("connect | text tea | wait 0.75 | text stop | wait 5 | text stop | wait 5")
    play("connect | text milk and sugar | wait 5 | text stop | wait 5 | text ok | wait 5")
    play("connect | text stop | text tea | wait 2 | text ok | wait 1 | text stop | wait 5")


def test_slow_sends_change_nothing(play):
    """While a send() waits, an `ok` counts, and after `stopped` no piece comes."""
    play.at_each_point("connect | text tea | wait 0.75 | at * text ok | text a b | wait 5")
    play.at_each_point("connect | text tea | wait 0.75 | at * text stop | wait 5")
    play.at_each_point("connect | text tea | wait 0.75 | text stop | at * wait 1 | wait 5")


def test_the_next_question_begins_after_a_stop(play):
    """After `stopped`, the next question is answered at once, and the others still wait."""
    play("connect | text a b | text c d | text e f | wait 0.75 | text stop | wait 1 | text rum")
    play("connect | text a b | text c d | wait 5 | text stop | text ok | text ok | wait 5")
    play("connect | text a b | wait 0.75 | text stop | wait 1 | text c d | wait 5")


def test_a_failure_is_reported(play):
    """If the model fails, the client gets `failed`, and the next question is answered."""
    play("connect | text impossible tea | wait 1.4 | wait 0.2 | wait 1 | text stop | text tea")
    play("connect | text impossible | text tea | wait 5 | text ok | text ok | wait 5 | text rum")


def test_each_connection_has_its_own(play):
    """Two clients have their own questions and pieces. One continues when the other has left."""
    play("connect | 2 connect | text a b | wait 0.25 | 2 text c d | wait 5 | text ok | 2 wait 1")
    play("connect | 2 connect | text a b | 2 text c d | wait 1 | text stop | 2 wait 5")
    play("connect | 2 connect | text a b | 2 text c d | wait 1 | close 1001 | 2 wait 5")
    play("connect | text a b | wait 2.2 | 2 connect | text ok | wait 1")


def test_ends_when_the_client_leaves(play):
    """All tasks end when the client leaves, in an answer, at a full window and after a stop."""
    for end in ("close 1000", "close 1001", "vanish", "close"):
        play(["connect", "text a b", "text c", "wait 0.75", end, "2 connect", "2 wait 5"])
    for last in ("wait 5", "text stop", "text stop | wait 0.2"):
        play(f"connect | text a b | text c | wait 0.75 | {last} | close 1001 | 2 connect | wait 5")


def test_ends_when_a_handler_raises(play):
    """All tasks end when an exception in a handler ends the connection."""
    play("connect | text a b | wait 0.75 | crash | 2 connect | 2 wait 5")


def test_ends_when_the_server_cancels(play):
    """All tasks end when the server cancels the consumer, also before websocket_connect."""
    play("connect | text a b | text c | wait 0.75 | kill | 2 connect | 2 wait 5")
    play("kill")
    for last in ("wait 0.25", "text stop", "text d | text busy"):
        play.at_each_point(f"connect | text a b | text c | wait 0.75 | {last} | at * kill")
