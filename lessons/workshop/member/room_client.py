"""The connection of a workshop to its room: reports go out, the state of the class comes in.

The connection may break at any time. The client then waits and connects again, sends what the room
has not acknowledged, and gets the announcements that it has missed.
"""

import asyncio
import json
import logging
import random
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from lessons.workshop.course.lesson_index import UnknownLesson, find
from lessons.workshop.member import membership, room_frames
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.outbox import Outbox, OutboxFull, count
from lessons.workshop.member.protocol import CLASS_DELETED, LOGGED_OUT, MAX_FRAME
from lessons.workshop.member.reports import make_report
from lessons.workshop.member.room_frames import ClassState, InvalidRoomFrame
from lessons.workshop.setup import atomic_write
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress

MAX_UNACKNOWLEDGED = 20  # reports in flight
# The room closes a socket on which more than 50 frames a second arrive; 16 KiB count as a frame.
FRAME_PAUSE = 1 / 40  # seconds
CHARACTERS_PER_FRAME = 16_384
# Seconds; the client waits a random part of it. The limit is low: a room has some hundred students,
# and all should be back within five seconds of its return.
FIRST_PAUSE, MAX_PAUSE = 1.0, 4.0
REFUSED_PAUSE = 60.0  # seconds after the room has rejected the token
MAX_MESSAGES = 10  # that a student has not dismissed

log = logging.getLogger(__name__)


class RoomClient:
    """What one workshop and its room know of each other. It lives in one event loop.

    `link` is "waiting", "connected", "refused" (the room does not know the token), or "ended" (the
    class or the student was deleted). `problem` says why reports are not kept, or "". `changed` is
    called after each change that a page must show.
    """

    def __init__(
        self,
        known: Membership,
        changed: Callable[[], None] = lambda: None,
        outbox: Outbox | None = None,
    ):
        self.membership = known
        self.outbox = Outbox(known) if outbox is None else outbox
        self.changed = changed
        self.link = "waiting"
        self.problem = ""
        self.state = ClassState(known.hints_held, known.solutions_held)
        self.state_at = time.monotonic()
        self.look: tuple[int, dict] | None = None  # the latest announcement of a place
        self._progress: dict[str, Progress] = {}
        self._sent = known.acknowledged
        self._has_reports = asyncio.Event()
        self._connection: ClientConnection | None = None

    async def run(self) -> None:
        """Serve the membership. Raises MembershipEnded after the student has left."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.follow_progress())
            tasks.create_task(self.stay_connected())

    # Reports

    async def follow_progress(self) -> None:
        async for changes in progress.follow():
            self.take_progress(changes)

    def take_progress(self, known: dict[str, Progress]) -> None:
        """Report each lesson whose progress the room does not have yet."""
        self._progress |= known
        self._report(known)

    def _report(self, known: dict[str, Progress]) -> None:
        if self.link == "ended":  # no room will ever store these reports
            return
        problem = ""
        for key, one in known.items():
            if one.version == self.outbox.versions.get(key, 0):
                continue
            try:
                report = make_report(find(key), one, self.membership.shares_code)
                self.outbox.add(report, key, one.version)
            except UnknownLesson:
                continue
            except OutboxFull:
                problem = f"{len(self.outbox):,} reports wait. Until the room answers, no more fit."
            except OSError as error:
                problem = atomic_write.explain_os_error(error)
        if problem and problem != self.problem:
            log.warning("The class: %s", problem)
        self.problem = problem
        self._has_reports.set()
        self.changed()

    async def _send_reports(self, connection: ClientConnection) -> None:
        while True:
            self._has_reports.clear()
            waiting = self.outbox.numbers_up_to(self._sent)
            for number in self.outbox.after(self._sent, MAX_UNACKNOWLEDGED - len(waiting)):
                report = self.outbox.report(number)
                self._sent = number
                if report is None:
                    self.outbox.forget([number])
                else:
                    text = json.dumps(report)
                    await connection.send(text)
                    await asyncio.sleep(FRAME_PAUSE * (1 + len(text) // CHARACTERS_PER_FRAME))
            await self._has_reports.wait()

    def _acknowledge(self, number: int, only: bool = False) -> None:
        """The room has this report, and without `only` all before it."""
        done = [number] if only else self.outbox.numbers_up_to(number)
        if not only:
            self._save(lambda old: {
                "acknowledged": max(old.acknowledged, number),
                "reported": self.outbox.versions,
            })  # fmt: skip
        self.outbox.forget(done)
        if self.problem:  # what was not kept: the latest state of each lesson
            self._report(self._progress)
        self._has_reports.set()

    # The connection

    async def stay_connected(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            self._set_link(await self._connect_once())
            if self.link == "ended":
                await asyncio.Event().wait()  # until the student leaves
            if time.monotonic() - began > MAX_PAUSE:  # the connection was a good one
                pause = FIRST_PAUSE
            limit = REFUSED_PAUSE if self.link == "refused" else pause
            await asyncio.sleep(random.uniform(0, limit))
            pause = min(pause * 2, MAX_PAUSE)

    async def _connect_once(self) -> str:
        """Connect, and stay until the connection ends. Returns the new link."""
        url = f"ws{self.membership.url.removeprefix('http')}/room/student/"
        headers = {"Authorization": f"Bearer {self.membership.token}"}
        try:
            async with connect(
                url, additional_headers=headers, max_size=4 * MAX_FRAME, compression=None,
                close_timeout=1,
            ) as connection:  # fmt: skip
                self._connection = connection
                await self._serve(connection)
        except InvalidStatus as error:
            return "refused" if error.response.status_code == 403 else "waiting"
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            return "ended" if code in (LOGGED_OUT, CLASS_DELETED) else "waiting"
        except InvalidRoomFrame as error:
            log.warning("The room at %s has sent a wrong frame: %s", self.membership.url, error)
        except (OSError, TimeoutError, WebSocketException, EOFError, ValueError) as error:
            log.debug("The room does not answer: %s", error)
        finally:
            self._connection = None
        return "waiting"

    async def _serve(self, connection: ClientConnection) -> None:
        known = self.membership
        hello = {"type": "hello", "device": known.device, "after": known.after}
        await connection.send(json.dumps(hello))
        welcome = room_frames.parse_frame(await connection.recv())
        if welcome["type"] != "welcome":
            raise InvalidRoomFrame("no welcome")
        self._enter(welcome)
        sending = asyncio.create_task(self._send_reports(connection))
        try:
            async for text in connection:
                self._take(room_frames.parse_frame(text))
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await sending

    def _enter(self, welcome: dict) -> None:
        acknowledged = room_frames.sequence(welcome, "acknowledged")
        state = room_frames.class_state(welcome.get("state") or {})
        if acknowledged > self.outbox.last:
            self._become_another_device()
        else:
            self._acknowledge(acknowledged)
        self._sent = self.membership.acknowledged
        self._has_reports.set()
        self._set_state(state)
        self._set_link("connected")

    def _become_another_device(self) -> None:
        """The room knows more reports of this device than this folder: the folder is a copy."""
        device = secrets.token_hex(16)
        self._save(lambda old: {"device": device, "acknowledged": 0, "reported": {}})
        self.outbox = Outbox(self.membership)
        self._report(self._progress)
        raise InvalidRoomFrame("the number of a report that this folder has not sent")

    def _take(self, frame: dict) -> None:
        kind = frame["type"]
        if kind == "acknowledged":
            self._acknowledge(self._sent_number(frame))
        elif kind == "error" and "sequence" in frame:  # it will never be stored
            self._acknowledge(self._sent_number(frame), only=True)
        elif kind == "state":
            self._set_state(room_frames.class_state(frame))
        elif kind == "announcement":
            self._announce(*room_frames.announcement(frame))
        self.changed()

    def _sent_number(self, frame: dict) -> int:
        number = room_frames.sequence(frame)
        if number > self._sent:
            raise InvalidRoomFrame("the number of a report that was not sent")
        return number

    def _announce(self, number: int, kind: str, data: dict) -> None:
        if number <= self.membership.after:
            return
        if kind == "look":
            self.look = (number, data)
        new = [{"id": number, **data}] if kind == "message" else []
        self._save(lambda old: {"after": number, "messages": [*old.messages, *new][-MAX_MESSAGES:]})

    def _set_state(self, state: ClassState) -> None:
        self.state, self.state_at = state, time.monotonic()
        held = {"hints_held": state.hints_held, "solutions_held": state.solutions_held}
        self._save(lambda old: held)
        self.changed()

    def _set_link(self, link: str) -> None:
        self.link = link
        self.changed()

    def _save(self, update: Callable[[Membership], dict]) -> None:
        self.membership = membership.change(self.membership.device, update)

    # What the student does

    def dismiss(self, number: int) -> None:
        """Forget a message."""
        self._save(lambda old: {"messages": [one for one in old.messages if one["id"] != number]})
        self.changed()

    async def raise_hand(self, is_raised: bool) -> None:
        await self._send({"type": "hand", "raised": is_raised})

    async def vote(self, poll: int, round: int, answer: str) -> None:
        await self._send({"type": "vote", "poll": poll, "round": round, "answer": answer})

    async def _send(self, frame: dict) -> None:
        """Send to a room that is connected. The room's state then says what it did."""
        if self._connection is not None and self.link == "connected":
            with suppress(ConnectionClosed):
                await self._connection.send(json.dumps(frame))

    # What pages show

    def snapshot(self) -> dict:
        """All that a page shows of the class, as plain data.

        The end of the timer is a value of `time.monotonic`. The id of `look` is 0 unless the place
        was announced while this client ran.
        """
        known, state, timer, look = self.membership, self.state, self.state.timer, self.state.look
        if timer:
            timer = {"label": timer["label"], "ends": self.state_at + timer["seconds"]}
        if look:  # the announcement of this place comes before or after the state
            number, place = self.look or (0, None)
            look = {"id": number if place == look else 0, **look}
        return {
            "class": known.school_class,
            "name": known.name,
            "place": known.place,
            "link": self.link,
            "problem": self.problem,
            "waiting": len(self.outbox),
            "hand": state.hand,
            "messages": known.messages,
            "timer": timer,
            "poll": state.poll,
            "look": look,
            "held": [state.hints_held, state.solutions_held],
        }


def idle_snapshot(known: Membership) -> dict:
    """What pages show while another process of this folder is connected."""
    unread = Outbox(known, is_read=False)
    shown = RoomClient(known, outbox=unread).snapshot()
    return {**shown, "link": "other process", "waiting": count(known.device)}
