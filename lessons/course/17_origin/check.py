"""Lesson 17: do the letters go to pages of their own site, and to no other?"""

from lessons.judge import diagnose

SITE = "https://letters.town.example"
OWN = (
    f"{SITE}:8443",
    "https://ada.letters.town.example",
    "https://a-1.b.letters.town.example",
    "https://ada.letters.town.example:8443",
)
IN_PART = (
    "https://letters.town.example.evil.net",
    "https://ada.letters.town.example.evil.net",
    "https://evil-letters.town.example",
    "https://evilletters.town.example",
    "https://town.example",
    "https://letters-town.example",
    "https://letters.town-example.net",
    "https://letters.town.example-evil.net",
)
OTHER_SCHEME = ("http://letters.town.example", "http://ada.letters.town.example:8443")
OTHER_PORT = ("8000", "8442", "844", "84", "18443", "80")


def said(text):
    return {"type": "websocket.send", "text": text}


async def visit(communicator, headers, origin):
    """A browser in which somebody has logged in comes from a page of that origin, or of none."""
    if origin is not None:
        headers = [(b"host", b"letters.town.example"), *headers, (b"origin", origin.encode())]
    client = communicator(headers=headers)
    accepted, _ = await client.connect()
    return client, accepted


async def let_in(communicator, headers, origin, otherwise, name="ada"):
    client, accepted = await visit(communicator, headers, origin)
    if not accepted:
        diagnose(otherwise, client, f"Origin: {origin}")
    client.expect(said(f"Letters for {name}: 3"))


async def refused(communicator, headers, origin, otherwise):
    client, accepted = await visit(communicator, headers, origin)
    if accepted:
        late = client.close_code is not None and not any("text" in sent for sent in client.unread)
        told = "no Origin" if origin is None else f"Origin: {origin}"
        diagnose("origin-checked-late" if late else otherwise, client, told)


async def test_the_site_s_own_page_gets_the_letters(communicator, database):
    """A page of https://letters.town.example gets the letters of whoever has logged in."""
    for name in ("ada", "grace"):
        await let_in(communicator, await database.log_in(name), SITE, "refuses-everyone", name)


async def test_a_page_of_another_site_is_refused(communicator, database):
    """A page of https://evil.example is refused, and so is one of any other site."""
    headers = await database.log_in("ada")
    for origin in ("https://evil.example", "http://127.0.0.1:8000", "https://localhost"):
        await refused(communicator, headers, origin, "origin-not-checked")


async def test_a_page_without_an_origin_is_refused(communicator, database):
    """So are a handshake without an Origin, and one with an empty one, or with `null`."""
    headers = await database.log_in("ada")
    await refused(communicator, headers, None, "no-origin-let-in")
    await refused(communicator, headers, "", "no-origin-let-in")
    await refused(communicator, headers, "null", "null-origin-let-in")


async def test_what_only_looks_alike_is_refused(communicator, database):
    """A host that has the site's name in it, before it or after it, is another host."""
    headers = await database.log_in("ada")
    for origin in IN_PART:
        await refused(communicator, headers, origin, "origin-in-part")


async def test_another_scheme_is_another_origin(communicator, database):
    """A page that came over http is refused: anybody on its way may have written it."""
    headers = await database.log_in("ada")
    for origin in OTHER_SCHEME:
        await refused(communicator, headers, origin, "origin-scheme")


async def test_another_port_is_another_origin(communicator, database):
    """A page from another port of the same host is refused."""
    headers = await database.log_in("ada")
    for port in OTHER_PORT:
        await refused(communicator, headers, f"{SITE}:{port}", "origin-port")


async def test_all_of_the_site_is_let_in(communicator, database):
    """Pages on port 8443, and pages of whatever is below the site, get the letters too."""
    headers = await database.log_in("ada")
    for origin in OWN:
        await let_in(communicator, headers, origin, "own-page-refused")


async def test_a_stranger_is_still_told_so(communicator, database):
    """On an own page, whoever has not logged in is accepted, and closed with 4401."""
    client = communicator(headers=[(b"origin", SITE.encode())])
    await client.connect()
    client.expect({"type": "websocket.close", "code": 4401})
