"""Lesson 17: do only pages of the own site get letters?"""

from typing import ClassVar

from lessons.workshop.judge import Model

SITE = "https://letters.town.example"
OWN = (
    *(SITE, f"{SITE}:8443", "https://ada.letters.town.example"),
    *("https://a-1.b.letters.town.example", "https://7.xn--4ca.letters.town.example"),
    *(
        "https://a.b.c.d.letters.town.example:8443",
        f"https://{'a-long-name.' * 18}letters.town.example",
        f"https://{'x' * 63}.letters.town.example",
    ),
)
FOREIGN = (
    *("https://evil.example", "https://attacker.test", "http://127.0.0.1:8000"),
    *(
        "https://localhost",
        "http://localhost",
        "http://localhost:8000",
        "https://evil.example:8443",
    ),
)
IN_PART = (
    *("https://letters.town.example.evil.net", "https://ada.letters.town.example.evil.net"),
    *("https://evil-letters.town.example", "https://evilletters.town.example"),
    *("https://town.example", "https://ada.town.example", "https://letters-town.example"),
    *("https://letters.town-example.net", "https://letters.town.example-evil.net"),
    *("https://letters-town.example:8443", "https://letters.town-example"),
    "https://letters.town.examples",
)
OTHER_SCHEME = (
    *("http://letters.town.example", "http://ada.letters.town.example:8443"),
    *("wss://letters.town.example", "ws://letters.town.example:8443", "app://letters.town.example"),
    *("httpsx://letters.town.example", "http://letters.town.example:443"),
)
OTHER_PORT = tuple(f"{SITE}:{port}" for port in (8000, 8442, 844, 84, 18443, 1443, 80, 0))
MALFORMED = (
    f"{SITE}.",
    *(f"{SITE}:x", f"{SITE}:8443:8443", f"{SITE}:84430", f"{SITE}%20.evil.net", "https://"),
    *("https://[letters.town.example", "letters.town.example", "//letters.town.example"),
    *("https:letters.town.example", "https://letters%FF.town.example", f"{SITE}@evil.net"),
    *(f"{SITE}:8443@evil.net", "https://letters.%20town.example", f"{SITE}:8443x"),
    *(f"https://evil.net{sign}.letters.town.example" for sign in ("/", "?", "#", ":443/")),
    *("https://evil.net/letters.town.example", f"{SITE}:-8443", f"{SITE},https://evil.net"),
    *(f"{SITE}{end}" for end in (":", "/x", "//", "/?", "?x", "#x", ":8443/x", ":8443:", "%C2%A0")),
    *(f"{SITE}:8_443", f"{SITE}:+8443", f"{SITE}:%208443", "https://letters.%09town.example"),
    *("https://letters..town.example", "https://letters.t%BAwn.example", f'"{SITE}"'),
    *("https://letters%252Etown.example", r"https:\\letters.town.example"),
    *(f"{SITE}%20https://evil.net", f"https://evil.net%20{SITE}", f"%A0{SITE}", f"{SITE}%A0"),
    *(f"{start}{SITE}" for start in ("%C2%A0", "x", "evil://x?", "https://")),
    *(
        "https:///letters.town.example",
        "https://ada@letters.town.example",
        "https://ada:x@letters.town.example:8443",
    ),
)
# The origin of a page of another site → the diagnosis if it gets in.
DIAGNOSES = {
    **dict.fromkeys(FOREIGN, "origin-not-checked"),
    **dict.fromkeys(IN_PART, "origin-in-part"),
    **dict.fromkeys(OTHER_SCHEME, "origin-scheme"),
    **dict.fromkeys(OTHER_PORT, "origin-port"),
    "": "no-origin-let-in",
    "null": "null-origin-let-in",
}
PROMISES = {
    "The site is `https://letters.town.example`": "test_a_page_of_the_site_gets_the_letters",
    "The same host on port 8443 belongs to the site": "test_every_page_of_the_site_is_accepted",
    "A rejection may have a close code": "ModelClient.reject() allows both.",
    "An Origin is malformed if": "test_a_malformed_origin_is_rejected",
    "Browsers write an origin": "This says what the next sentence means.",
    "You may accept or reject an own origin": "No conversation has such an origin.",
    "A logged-in client": "test_an_anonymous_client_is_still_closed_with_4401",
}
OTHERS = (
    "Your application rejects every other handshake before the accept: from a page of another "
    "origin, without an Origin, or with the Origin `null`."
)
HOST = "host=letters.town.example"


def page(origin, user="as=ada"):
    """The handshake of a page of that origin. The user is logged in at this site."""
    return " ".join(["connect", *user.split(), HOST, f"origin={origin}"])


class Letters(Model):
    database = True
    frames = ()
    max_clients = 4
    given = ("Letters",)
    promise_of: ClassVar = {
        "own-page-refused": "The same host on port 8443 belongs to the site, and so does every "
        "host below it, on port 443 (default) or 8443",
        **dict.fromkeys(("origin-port", "null-origin-let-in", "no-origin-let-in"), OTHERS),
    }
    handshakes = (
        *(page(origin) for origin in OWN[:4]),
        *(page(SITE, user) for user in ("as=grace", "as=ada server=2", "")),
        *(page(origins[0]) for origins in (FOREIGN, IN_PART, OTHER_SCHEME, OTHER_PORT, MALFORMED)),
        *(f"connect as=ada {HOST}", page("null"), page(FOREIGN[0], "as=grace")),
    )

    def connect(self, client):
        origin = client.handshake.get("origin", "")
        if origin in OWN:
            self.let_in(client)
        elif not origin or (origin in DIAGNOSES and origin != "null"):
            self.reject(client)
        else:
            self.keep_malformed_out(client)

    def let_in(self, client):
        """A logged-in client from an own page already gets its letters."""
        client.accept()
        if name := client.handshake.get("as"):
            client.send(f"Letters for {name}: 3")
        else:
            client.close(4401)

    def reject(self, client):
        """Your application rejects every other handshake before the accept: from a page of another
        origin, without an Origin, or with the Origin `null`."""
        client.reject()

    def keep_malformed_out(self, client):
        """A malformed Origin never gets in. In this case, an exception is fine too."""
        client.reject()
        if not self.branch():
            client.fail()  # Daphne answers with HTTP 500

    def diagnose(self, difference):
        handshakes = [step for step in difference.steps_so_far if step.action == "connect"]
        client = self.clients.get(difference.client)
        if difference.fault or client is None or len(handshakes) > 1:
            return None
        origin = client.handshake.get("origin", "")
        is_number = origin.removeprefix(f"{SITE}:").isdigit()  # a port that does not exist, too
        foreign = DIAGNOSES.get(origin, "origin-port" if is_number else "origin-in-part")
        received = [message["type"] for message in difference.received]
        match difference.expected[0]["type"], received:
            case "websocket.close", ["websocket.accept", "websocket.close"]:
                # An anonymous client is closed where the check is missing, too.
                return "origin-checked-late" if client.handshake.get("as") else foreign
            case "websocket.close", ["websocket.accept", *_]:
                return foreign
            case "websocket.accept", ["websocket.close"]:
                return "refuses-everyone" if origin == SITE else "own-page-refused"
        return None


def test_a_page_of_the_site_gets_the_letters(play):
    """A page of https://letters.town.example gets the letters of the logged-in user."""
    play.in_turn([page(SITE), page(SITE, "as=grace")])


def test_a_page_of_another_site_is_rejected(play):
    """A page of https://evil.example is rejected, and so is a page of any other site."""
    evil = f"connect as=ada host=evil.example origin={FOREIGN[0]}"
    play.in_turn([*map(page, FOREIGN), evil])


def test_a_page_without_an_origin_is_rejected(play):
    """A handshake without an Origin, with an empty one, or with `null` is rejected."""
    referer = f"connect as=ada {HOST} referer={SITE}/"
    play.in_turn([f"connect as=ada {HOST}", page(""), page("null"), referer])


def test_a_host_that_looks_alike_is_rejected(play):
    """A host whose name only contains the name of the site is rejected."""
    play.in_turn([*map(page, IN_PART)])


def test_another_scheme_is_another_origin(play):
    """A page with another scheme, such as http, is rejected."""
    play.in_turn([*map(page, OTHER_SCHEME)])


def test_another_port_is_another_origin(play):
    """A page from another port of the same host is rejected."""
    play.in_turn([*map(page, OTHER_PORT)])


def test_every_page_of_the_site_is_accepted(play):
    """Pages on port 8443, and pages of every host below the site, get the letters too."""
    play.in_turn([*map(page, OWN)])


def test_a_malformed_origin_is_rejected(play):
    """An Origin that is malformed never gets in."""
    play.in_turn([*map(page, MALFORMED)])


def test_an_anonymous_client_is_still_closed_with_4401(play):
    """On an own page, an anonymous client is accepted, and closed with 4401."""
    play.in_turn([page(SITE, ""), page(FOREIGN[0], "")])


def test_each_handshake_is_judged_alone(play):
    """Of several handshakes at once, each is judged by its own Origin."""
    good, bad = page(SITE), page(FOREIGN[0], "as=ada")
    play.in_turn([good, bad] * 60)
    play(f"{good} | & 2 {bad} | & 3 {good} | & 4 {page(IN_PART[0], 'as=grace')}")
    play.at_each_point(f"{bad} | at * 2 {page(SITE, 'as=grace')}")
    play.at_each_point(f"{good} | at * 2 {bad}")
