"""Lesson 18: does a ticket open the door to its user only, once, and for 30 seconds?"""

from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import quote

from lessons.workshop.judge import Model

SALT = "stage door"  # of issue()
SECONDS = 30  # for which a ticket is good
NAMED = 'account ada {"first_name": "Ada", "last_name": "Byron", "is_superuser": true}'
GONE = (
    'account ada {"is_active": false}',
    'delete auth.User {"username": "bob"}',
    'account ada {"is_active": false, "is_staff": true, "is_superuser": true}',
)
ISSUED = ("issue ada", "issue ada/2", "issue bob", "issue bob/2")
CHANGES = {"forged", "spliced", "altered"}
ALTERED = (
    *("unsigned", "longer", "listed", "followed", "earlier", "padded", "quoted", "halved"),
    *("encoded", "swapped", "resigned", "resigned salt=auth_demo.tickets", "resigned salt="),
)
ELSEWHERE = (
    *("connect ?ticket={token=ada}", "connect cookie=ticket={token=ada}"),
    "connect subprotocols=ticket,{token=ada}",
)
SCHEMES = ("bearer", "lower")
OTHER_WORDS = "?user=bob&username=bob&name=bob&user_id=700002&id=700002&pk=700002"
PROMISES = {
    "A client sends its ticket in a header": "handshakes",
    "The consumer then finds the user of the ticket": "test_opens_the_door_to_its_user",
    "Such a client has": "This begins a list.",
    "If two clients send the same ticket": "test_one_of_two_at_once",
    "No ticket is logged": "The engine looks for each ticket in what is printed and logged.",
}


@dataclass(frozen=True)
class Ticket:
    issued: float
    is_used: bool = False
    is_deleted: bool = False  # whether its user was


class Door(Model):
    database = True
    frames = ()
    clients_are_independent = False
    max_clients = 4
    promise_of: ClassVar = {
        "ticket-raced": "If two clients send the same ticket at the same moment, only one gets in",
        "ticket-of-another": 'The consumer then finds the user of the ticket in scope["user"].',
        "ticket-too-old": "A ticket that issue() made opens the door once, within 30 seconds.",
        "secret-logged": "No ticket is logged, printed or put into an exception.",
    }
    setups = (ISSUED, (*ISSUED, GONE[0]))
    handshakes = (
        *("connect ticket=ada", "connect ticket=ada server=2", "connect ticket=ada/2"),
        *("connect ticket=bob", "connect ticket=bob server=2", "connect ticket=bob/2 server=2"),
        *("connect", f"connect {OTHER_WORDS} ticket=ada", "connect ticket=ada altered=unsigned"),
        *("connect ticket=ada/2 altered=longer", "connect ticket=bob/2 forged=ada/2"),
        *("connect ticket=bob altered=bearer", "connect ticket=bob altered=lower"),
        *(
            "connect ticket=bob spliced=ada",
            "connect outer=guest",
            "connect ticket=bob outer=guest",
        ),
        *("connect authorization=Ticket%20a:b:c", "connect authorization=Ticket%20%E2%98%83"),
        ELSEWHERE[0],
    )
    others = (*GONE, "wait 12", "wait 20", "issue ada", "issue bob/2")

    @classmethod
    def event_of(cls, text):
        return f"connect ticket=ada altered=resigned salt={quote(text)}" if text != SALT else None

    def __init__(self):
        super().__init__()
        self.tickets = {}  # name → Ticket
        self.deactivated = set()
        self.killed = set()  # clients in this burst

    def before(self, burst):
        self.killed = {step.client for step in burst if step.action == "kill"}

    def other(self, step):
        match step.action, step.arguments:
            case "issue", {"name": name}:
                self.tickets[name] = Ticket(self.now)
            case "account", {"user": user, "fields": {"is_active": False}}:
                self.deactivated.add(user)
            case "delete", {"fields": {"username": user}}:
                for name, ticket in self.tickets.items():
                    if _user(name) == user:
                        self.tickets[name] = replace(ticket, is_deleted=True)

    def connect(self, client):
        given = client.handshake
        names = [given[key] for key in ("ticket", "forged", "spliced") if key in given]
        for name in names:
            self.tickets.setdefault(name, Ticket(self.now))
        client.ticket, client.came = self.tickets.get(given.get("ticket")), self.now
        client.gets_in = False
        if not names:
            self.reject(client)
        elif client.ticket is None or CHANGES & {*given} or not self.is_in_time(client.ticket):
            self.reject_no_ticket(client)
        elif client.ticket.is_used:
            self.reject_used(client)
        elif client.ticket.is_deleted or _user(given["ticket"]) in self.deactivated:
            self.reject_user(client)
        elif client.number not in self.killed or self.branch():  # else it has not used the ticket
            self.tickets[names[0]] = replace(client.ticket, is_used=True)
            client.gets_in = True
            if self.was_copied(client):
                self.open_after_copy(client)
            else:
                self.open_door(client)

    def is_in_time(self, ticket):
        return self.now - ticket.issued < SECONDS

    def open_door(self, client):
        """A ticket that issue() made opens the door once, within 30 seconds."""
        client.accept()
        client.send(f"Welcome, {_user(client.handshake['ticket'])}.")

    def open_after_copy(self, client):
        """A changed copy does not use up the real ticket."""
        client.accept()
        client.send(f"Welcome, {_user(client.handshake['ticket'])}.")

    def reject(self, client):
        """To every other client, the application sends `websocket.close` before any accept."""
        client.reject()

    def reject_no_ticket(self, client):
        """no ticket, or one that issue() did not make, that was changed, or that is too old;"""
        client.reject()

    def reject_used(self, client):
        """a ticket that another connection has used, even in another process."""
        client.reject()

    def reject_user(self, client):
        """a ticket whose user was deleted or deactivated."""
        client.reject()

    def fault_in(self, turn, played):
        """Do not change the server's scope, issue() or ticket_in()."""
        for seen in turn.clients.values():
            if seen.scope_changes:
                return None, "scope-mutated", f"Changed: {', '.join(seen.scope_changes)}"
        return None

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if client is None or difference.step.action != "connect":
            return None
        if fault := difference.fault:
            sent = client.handshake.get("authorization", "").partition(" ")[2]
            return "secret-logged" if sent and sent in fault.detail else None
        received = [message["type"] for message in difference.received]
        welcome = difference.texts(difference.received)
        given = client.handshake
        others = {"Welcome, ada.", "Welcome, bob."} - {
            f"Welcome, {_user(given.get('ticket', ''))}."
        }
        if "ticket" in given and others & {*welcome}:
            return "ticket-of-another"
        if client.gets_in:
            return self.cause_of_rejection(client) if received == ["websocket.close"] else None
        if not received or received[-1] == "websocket.close":
            return None
        is_raced = str(difference.steps_so_far[-1]).startswith(("& ", "at "))
        cause = self.cause_of_acceptance(client)
        is_used = cause in ("ticket-used-twice", "ticket-used-elsewhere")
        return "ticket-raced" if is_raced and is_used else cause

    def cause_of_acceptance(self, client):
        ticket, given = client.ticket, client.handshake
        if ticket is None or given.get("altered") in SCHEMES or ticket.is_deleted:
            return "accepts-everyone"
        if CHANGES & {*given}:
            return "ticket-unsigned"
        if ticket.is_used:
            is_known_here = any(
                it.get("server", 1) == given.get("server", 1) and not CHANGES & {*it}
                for it in self.others_with(client)
            )
            return "ticket-used-twice" if is_known_here else "ticket-used-elsewhere"
        if client.came - ticket.issued >= SECONDS:
            return "ticket-too-old"
        # A middleware that asks only once for each user has another fault.
        users = [_user(it.handshake.get("ticket", "")) for it in self.by_connection.values()]
        is_first_visit = users.count(_user(given["ticket"])) == 1
        return "deactivated-let-in" if is_first_visit else None

    def others_with(self, client):
        others = [it.handshake for it in self.by_connection.values() if it is not client]
        return [it for it in others if it.get("ticket") == client.handshake["ticket"]]

    def was_copied(self, client):
        return any(CHANGES & {*it} for it in self.others_with(client))

    def cause_of_rejection(self, client):
        ticket, given = client.ticket, client.handshake
        if self.was_copied(client):
            return "ticket-spent-by-forger"
        if client.came > ticket.issued:
            return "ticket-refused-early"
        return "ticket-kept-in-process" if "server" in given else "ticket-refused"


def _user(ticket):
    return ticket.partition("/")[0]


def test_rejects_a_client_without_a_ticket(play):
    """A client without a ticket, or with another text instead, is rejected."""
    play("connect | connect authorization= | connect authorization=Ticket%20")
    for ticket in ("a:b:c", ".a:b:c", "a.b.c", "%E2%98%83"):
        play(f"connect authorization=Ticket%20{ticket}")
    for scheme in SCHEMES:
        play(f"issue ada | connect ticket=ada altered={scheme}")
    for handshake in ELSEWHERE:
        play(f"issue ada | {handshake} | connect ticket=ada")


def test_opens_the_door_to_its_user(play):
    """A ticket lets its own user in, even if the query names another user."""
    play(f"connect ticket=ada | 2 connect {OTHER_WORDS} ticket=ada/2 | 3 connect ticket=bob")
    play("connect outer=guest ticket=ada | 2 connect ticket=bob")
    play(f"{NAMED} | connect ticket=ada | 2 connect ticket=ada")
    play("connect ticket=ada | & 2 connect ticket=bob | & 3 connect | & 4 connect ticket=bob/2")
    play.at_each_point("connect ticket=ada | at * 2 connect ticket=bob")


def test_rejects_what_issue_did_not_make(play):
    """A changed ticket opens nothing, and does not use up the real one."""
    for change in ALTERED:
        play(f"issue ada | connect ticket=ada altered={change} | connect ticket=ada")
    for change in ("forged=bob", "spliced=bob", "forged=bob altered=unsigned"):
        play(f"issue ada | connect ticket=ada {change} | connect ticket=ada | connect ticket=bob")


def test_works_once(play):
    """A ticket that was used opens nothing, here and in another process."""
    play("connect ticket=ada | connect ticket=ada | 2 connect ticket=ada server=2")
    play("connect ticket=ada server=2 | 2 connect ticket=ada | 3 connect ticket=ada/2")
    play("connect ticket=ada | connect ticket=ada/2 | close | connect ticket=ada")
    for end in ("crash", "kill", "vanish"):
        play(f"connect ticket=ada | {end} | 2 connect ticket=ada")
    play("connect ticket=ada | wait 6 | 2 connect ticket=ada | wait 20 | 3 connect ticket=ada")
    play("connect ticket=ada | wait 29.5 | 2 connect ticket=ada")
    play("connect ticket=ada | wait 60 | 2 connect ticket=ada | wait 3600 | 3 connect ticket=ada")


def test_one_of_two_at_once(play):
    """Of two clients with the same ticket at the same moment, only one gets in."""
    play("connect ticket=ada | & 2 connect ticket=ada")
    play.at_each_point("connect ticket=ada | at * 2 connect ticket=ada server=2")


def test_works_for_a_short_time(play):
    """A ticket is valid for 30 seconds, not longer."""
    for seconds in (5.5, 29.5, 30.5, 32, 3600):
        play(f"issue ada | wait {seconds} | connect ticket=ada | connect ticket=ada")
    play("wait 20 | issue ada | wait 20 | connect ticket=ada")
    for change in ("forged", "spliced"):
        play(f"connect ticket=ada {change}=bob | wait 32 | connect ticket=bob")


def test_asks_for_the_user_as_it_is_now(play):
    """The ticket of a deactivated or deleted user opens nothing."""
    for change in (GONE[0], GONE[2]):
        play(f"issue ada | {change} | connect ticket=ada")
    play(f"issue bob | {GONE[1]} | connect ticket=bob")
    play(f"connect ticket=ada | issue ada/2 | {GONE[0]} | 2 connect ticket=ada/2")
    play(f"issue bob | issue ada | {GONE[0]} | connect ticket=bob | & 2 connect ticket=ada")


def test_serves_many_clients(play):
    """Many clients in turn, with valid and invalid tickets, get the right answers."""
    play(" | ".join(f"connect ticket=ada/{number} | 2 connect" for number in range(60)))
    play(["connect"] * 101 + ["connect ticket=ada"])
