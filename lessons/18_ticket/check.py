"""Lesson 18: does a ticket open the door to its user only, once, and for 30 seconds?"""

from dataclasses import dataclass, replace

from lessons.workshop.judge import Model

SECONDS = 30  # for which a ticket is good
GONE = 'account ada {"is_active": false}', 'delete auth.User {"username": "bob"}'
ISSUED = ("issue ada", "issue ada/2", "issue bob", "issue bob/2")
CHANGES = {"forged", "spliced", "altered"}
OTHER_WORDS = "?user=bob&username=bob&name=bob&user_id=700002&id=700002&pk=700002"


@dataclass(frozen=True)
class Ticket:
    issued: float
    used_on: tuple[int, ...] = ()  # numbers of servers
    was_changed: bool = False  # whether a changed copy was shown
    is_deleted: bool = False  # whether its user was


class Door(Model):
    database = True
    frames = ()
    clients_are_independent = False
    max_clients = 4
    setups = (ISSUED, (*ISSUED, GONE[0]))
    handshakes = (
        *("connect ticket=ada", "connect ticket=ada server=2", "connect ticket=ada/2"),
        *("connect ticket=bob", "connect ticket=bob server=2", "connect ticket=bob/2 server=2"),
        *("connect", f"connect {OTHER_WORDS} ticket=ada", "connect ticket=ada altered=unsigned"),
        *("connect ticket=ada/2 altered=longer", "connect ticket=bob/2 forged=ada/2"),
        *("connect ticket=bob altered=bearer", "connect ticket=bob spliced=ada"),
        *("connect authorization=Ticket%20a:b:c", "connect authorization=Ticket%20%E2%98%83"),
    )
    others = (*GONE, "wait 12", "wait 20", "issue ada", "issue bob/2")

    def __init__(self):
        super().__init__()
        self.tickets = {}  # name → Ticket
        self.deactivated = set()

    def other(self, step):
        match step.action, step.arguments:
            case "issue", {"name": name}:
                self.tickets[name] = Ticket(self.now)
            case "account", {"user": user}:
                self.deactivated.add(user)
            case "delete", {"fields": {"username": user}}:
                for name, ticket in self.tickets.items():
                    if _user(name) == user:
                        self.tickets[name] = replace(ticket, is_deleted=True)

    def connect(self, client):
        """A ticket that issue() made opens the door once, within 30 seconds"""
        given = client.handshake
        names = [given[key] for key in ("ticket", "forged", "spliced") if key in given]
        for name in names:
            self.tickets.setdefault(name, Ticket(self.now))
        ticket = self.tickets.get(given.get("ticket"))
        client.fault = self.fault_of(ticket, given)
        if ticket and CHANGES & {*given}:
            self.tickets[given["ticket"]] = replace(ticket, was_changed=True)
        elif ticket:
            used_on = (*ticket.used_on, given.get("server", 1))
            self.tickets[given["ticket"]] = replace(ticket, used_on=used_on)
        if client.fault:
            client.reject()
        else:
            client.accept()
            client.send(f"Welcome, {_user(names[0])}.")

    def fault_of(self, ticket, given):
        """The diagnosis if this ticket, which must open nothing, opens the door; else None."""
        if ticket is None or given.get("altered") == "bearer" or ticket.is_deleted:
            return "accepts-everyone"
        if CHANGES & {*given}:
            return "ticket-unsigned"
        if ticket.used_on:
            is_known_here = given.get("server", 1) in ticket.used_on
            return "ticket-used-twice" if is_known_here else "ticket-used-elsewhere"
        if self.now - ticket.issued >= SECONDS:
            return "ticket-too-old"
        return "deactivated-let-in" if _user(given["ticket"]) in self.deactivated else None

    def fault_in(self, turn, played):
        """The application does not change the scope of the server."""
        for number, seen in turn.clients.items():
            if seen.scope_changes:
                return number, "scope-mutated", f"Changed: {', '.join(seen.scope_changes)}"
        return None

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if difference.fault or client is None or difference.step.action != "connect":
            return None
        received = [message["type"] for message in difference.received]
        welcome = difference.texts(difference.received)
        own = f"Welcome, {_user(client.handshake.get('ticket', ''))}."
        if "ticket" in client.handshake and welcome not in ([], [own]):
            return "ticket-of-another"
        if client.fault:
            is_raced = str(difference.steps_so_far[-1]).startswith(("& ", "at "))
            if not received or received[-1] == "websocket.close":
                return None
            is_used = client.fault in ("ticket-used-twice", "ticket-used-elsewhere")
            return "ticket-raced" if is_raced and is_used else client.fault
        ticket = self.tickets[client.handshake["ticket"]]
        if received != ["websocket.close"]:
            return None
        if ticket.was_changed:
            return "ticket-spent-by-forger"
        if self.now > ticket.issued:
            return "ticket-refused-early"
        return "ticket-kept-in-process" if "server" in client.handshake else "ticket-refused"


def _user(ticket):
    return ticket.partition("/")[0]


def test_rejects_a_client_without_a_ticket(play):
    """A client without a ticket, or with another text instead, is rejected."""
    play("connect | connect authorization= | connect authorization=Ticket%20")
    for ticket in ("a:b:c", ".a:b:c", "a.b.c", "%E2%98%83"):
        play(f"connect authorization=Ticket%20{ticket}")
    play("issue ada | connect ticket=ada altered=bearer", otherwise="accepts-everyone")


def test_opens_the_door_to_its_user(play):
    """A ticket lets its own user in, even if the query names another user."""
    play(f"connect ticket=ada | 2 connect {OTHER_WORDS} ticket=ada/2 | 3 connect ticket=bob")
    play("connect ticket=ada | & 2 connect ticket=bob | & 3 connect | & 4 connect ticket=bob/2")
    play.at_each_point("connect ticket=ada | at * 2 connect ticket=bob")


def test_rejects_what_issue_did_not_make(play):
    """A changed ticket opens nothing, and does not use up the real one."""
    for change in ("unsigned", "longer", "earlier", "swapped", "resigned"):
        play(f"issue ada | connect ticket=ada altered={change} | connect ticket=ada")
    for change in ("forged=bob", "spliced=bob", "forged=bob altered=unsigned"):
        play(f"issue ada | connect ticket=ada {change} | connect ticket=ada | connect ticket=bob")


def test_works_once(play):
    """A ticket that was used opens nothing, here and in another process."""
    play("connect ticket=ada | connect ticket=ada | 2 connect ticket=ada server=2")
    play("connect ticket=ada server=2 | 2 connect ticket=ada | 3 connect ticket=ada/2")
    play("connect ticket=ada | connect ticket=ada/2 | close | connect ticket=ada")


def test_one_of_two_at_once(play):
    """Of two clients with the same ticket at the same moment, only one gets in."""
    play("connect ticket=ada | & 2 connect ticket=ada")
    play.at_each_point("connect ticket=ada | at * 2 connect ticket=ada server=2")


def test_works_for_a_short_time(play):
    """A ticket is valid for 30 seconds, not longer."""
    play("issue ada | wait 29.5 | connect ticket=ada")
    play("issue ada | wait 32 | connect ticket=ada")


def test_asks_for_the_user_as_it_is_now(play):
    """The ticket of a deactivated or deleted user opens nothing."""
    play(f"issue ada | {GONE[0]} | connect ticket=ada")
    play(f"issue bob | {GONE[1]} | connect ticket=bob")
    play(f"connect ticket=ada | issue ada/2 | {GONE[0]} | 2 connect ticket=ada/2")
    play(f"issue bob | issue ada | {GONE[0]} | connect ticket=bob | & 2 connect ticket=ada")


def test_serves_many_clients(play):
    """Many clients in turn, with valid and invalid tickets, get the right answers."""
    play(" | ".join(f"connect ticket=ada/{number} | 2 connect" for number in range(25)))
