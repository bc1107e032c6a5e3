"""Lesson 16: does the counter know its users and their permissions?"""

from typing import ClassVar

from lessons.workshop.judge import Model

MAY = "auth.change_user"
OTHERS = '["auth.add_user", "auth.delete_user", "auth.view_user", "sessions.change_user"]'
LONG_NAME = "Zoë+x_1-2@" + "of-the-long-name." * 8 + "07"  # 148 of 150 characters
NO_LOGIN = 'session visitor {"theme": "dark"}'
RIGHTS = (
    f'account ada {{"permissions": ["{MAY}"], "first_name": "Augusta"}}',
    f'account grace {{"group_permissions": ["{MAY}"]}}',
    'account root {"is_superuser": true}',
)
NO_RIGHTS = (
    'account ada {"permissions": []}',
    f'account grace {{"group_permissions": {OTHERS}}}',
    'account eve {"is_active": false}',
)
EMAIL = 'account ada {"email": "a@b.example"}'
NEW_PASSWORD = 'account grace {"password": "navy 1906"}'
PROMISES = {
    "The connection stays open in both cases": "test_other_rights_do_not_count",
    "The counter may read the permission": "receive",
}


def enter(options=""):
    """The handshake of a page of this site, because a student may add an origin check."""
    return f"connect origin=http://localhost {options}".strip()


ADA, GRACE, ROOT = (enter(f"as={name}") for name in ("ada", "grace", "root"))
ANONYMOUS = (enter(), enter("cookie=sessionid=xyzzy;%20theme=dark"), enter("as=visitor"))


class Counter(Model):
    database = True
    handshakes = (ADA, GRACE, ROOT, enter("as=eve"), enter("as=Ada"), *ANONYMOUS)
    texts = ("this, please", MAY)
    others = (*RIGHTS[:2], *NO_RIGHTS, EMAIL, "logout grace")
    setups = ((NO_LOGIN, RIGHTS[0], RIGHTS[2]), (NO_LOGIN, RIGHTS[1]))
    promise_of: ClassVar = {
        **dict.fromkeys(
            ("closed-for-asking", "closed-early"), "The connection stays open in both cases."
        ),
        "send-after-close": "It sends no text to an anonymous client, even if frames arrive.",
    }
    long_conversations = (GRACE + " | text this, please" * 300,)  # without the permission

    def __init__(self):
        super().__init__()
        self.accounts = {}  # user → fields
        self.logged_out = set()

    def may(self, user):
        fields = self.accounts.get(user, {})
        held = (*fields.get("permissions", ()), *fields.get("group_permissions", ()))
        return fields.get("is_active", True) and (fields.get("is_superuser", False) or MAY in held)

    def connect(self, client):
        name = client.handshake.get("as")
        is_active = self.accounts.get(name, {}).get("is_active", True)
        if name is None or name in self.logged_out or not is_active:
            self.close_anonymous(client)
        else:
            client.name, client.known = name, [self.may(name)]
            self.greet(client)

    def close_anonymous(self, client):
        """The counter accepts the handshake of an anonymous client, then closes the connection with
        4401, so that the page learns why. It sends no text to an anonymous client, even if frames
        arrive."""
        client.accept()
        client.close(4401)

    def greet(self, client):
        """A client that has logged in receives `Hello, ada.`, with the username of its own user."""
        client.accept()
        client.send(f"Hello, {client.name}.")

    def receive_after_close(self, client, text, data):
        """It sends no text to an anonymous client, even if frames arrive."""

    def receive(self, client, text, data):
        """The counter answers each frame of such a client: `stamped` if the user has the permission
        `auth.change_user`, else `not yours to stamp`."""
        now = self.may(client.name)
        if len(client.known) == 1:
            client.known.append(now)  # what the counter may read at the first frame
        allowed = {"stamped" if may else "not yours to stamp" for may in (*client.known, now)}
        shown = "stamped" if now else "not yours to stamp"
        client.send_any(shown, lambda answer: answer in allowed)

    def other(self, step):
        user = step.arguments["user"]
        if step.action in ("logout", "session"):
            self.logged_out.add(user)
        elif step.action == "account":
            self.accounts[user] = {**self.accounts.get(user, {}), **step.arguments["fields"]}
            if "password" in step.arguments["fields"]:  # it ends the user's sessions
                self.logged_out.add(user)

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if difference.fault or client is None:
            return None
        received = [message["type"] for message in difference.received]
        texts = difference.texts(difference.received)
        is_anonymous = not hasattr(client, "name")
        match difference.step.action:
            case "connect" if is_anonymous and received == ["websocket.close"]:
                return "refused-without-reason"
            case "connect" if is_anonymous and texts and "websocket.close" not in received:
                name = client.handshake.get("as")  # of a user who may log in no more
                return None if name and name in texts[0] else "anonymous-let-in"
            case "connect" if received == ["websocket.accept", "websocket.close"]:
                return None if is_anonymous else "authenticated-user-refused"
            case "text" | "bytes" if "websocket.close" in received and not is_anonymous:
                return None if self.may(client.name) else "closed-for-asking"
            case "text" | "bytes" if len(self.clients) == 1 and texts == ["stamped"]:
                return None if is_anonymous else "permission-not-asked"
            case "text" | "bytes" if len(self.clients) == 1 and texts == ["not yours to stamp"]:
                return None if is_anonymous else "permission-refused"
        return None


def test_a_user_is_greeted(play):
    """A client that has logged in gets `Hello, ada.`, with the name of its own user."""
    play(ADA)
    play(f"{GRACE} | 2 {enter(f'as={LONG_NAME}')}")


def test_an_anonymous_client_learns_why(play):
    """Without a login, and with a session that has no user, a client is closed with 4401."""
    for handshake in ANONYMOUS:
        play(f"{NO_LOGIN} | {handshake}")
    play(f"{NO_RIGHTS[2]} | {enter('as=eve')}")
    play(f"{GRACE} | {NEW_PASSWORD} | 2 {GRACE}")


def test_an_anonymous_client_gets_no_text(play):
    """Frames that an anonymous client sends before it sees the close are not answered."""
    play(f"{enter()} | & text this, please | & bytes 00")


def test_a_permission_counts_wherever_it_comes_from(play):
    """Frames get `stamped` if the user has auth.change_user: its own, by a group, or for all."""
    play(f"{RIGHTS[0]} | {ADA} | text this, please | bytes 00")
    play(f"{RIGHTS[1]} | {GRACE} | text this, please")
    play(f"{RIGHTS[0]} | {RIGHTS[2]} | {ROOT} | text this, please")


def test_other_rights_do_not_count(play):
    """Without that permission frames get `not yours to stamp`, and the client stays connected."""
    play(f"{NO_RIGHTS[1]} | {GRACE} | text this, please | bytes 00 | text again")
    play(f'account ada {{"is_staff": true}} | {ADA} | text this, please')


def test_each_client_is_served_by_its_own_permissions(play):
    """Of several clients at once, each is served by the permissions of its own user."""
    both = f"{RIGHTS[0]} | {ADA} | 2 {GRACE}"
    play(f"{both} | text a | 2 text b | text c")
    play(f"{RIGHTS[0]} | {ADA} | & 2 {GRACE} | text a | & 2 text b | & text c")
    play.at_each_point(f"{RIGHTS[0]} | {ADA} | at * 2 {GRACE} | text a")
    play(f"{both}{' | text a | 2 text b' * 20}")
    play(f"{RIGHTS[0]} | {ADA} | 2 {enter('as=Ada')} | text a | 2 text b | text c")


def test_a_new_connection_has_the_permissions_of_now(play):
    """A client that connects again is served by the permissions that its user has now."""
    play(f"{RIGHTS[0]} | {ADA} | text a | {NO_RIGHTS[0]} | 2 {ADA} | 2 text b | text c")
    play(f"{ADA} | {RIGHTS[0]} | text a | {NO_RIGHTS[0]} | text b | {EMAIL} | 2 {ADA} | 2 text c")
    play(f"{RIGHTS[0]} | {EMAIL} | {ADA} | text a")
