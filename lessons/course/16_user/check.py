"""Lesson 16: does the counter know who is there, and what they may do?"""

from lessons.judge import diagnose

ACCEPT, NOT_LOGGED_IN = {"type": "websocket.accept"}, {"type": "websocket.close", "code": 4401}
MAY = "auth.change_user"
NO_LOGIN = [(b"cookie", b"sessionid=xyzzy; theme=dark")]  # a session that there never was


def said(text):
    return {"type": "websocket.send", "text": text}


def visit(communicator, headers=()):
    """A client whose page is of this site, whatever else is looked at."""
    return communicator(headers=[*headers, (b"origin", b"http://localhost")])


async def enter(communicator, headers, name):
    client = visit(communicator, headers)
    accepted, _ = await client.connect()
    if not accepted:
        diagnose("refuses-everyone", client)
    if client.close_code is not None:
        diagnose("authenticated-user-refused", client)
    client.expect(said(f"Hello, {name}."))
    return client


async def ask(client, may):
    await client.send_to(text_data="this, please")
    if client.close_code is not None:
        diagnose("closed-for-asking", client)
    if client.unread == [said("stamped" if not may else "not yours to stamp")]:
        diagnose("permission-refused" if may else "permission-not-asked", client)
    client.expect(said("stamped" if may else "not yours to stamp"))


async def test_who_has_logged_in_is_greeted(communicator, database):
    """Who has logged in gets `Hello, ada.`, with their own name."""
    for name in ("ada", "grace"):
        await enter(communicator, await database.log_in(name), name)


async def test_a_stranger_learns_why(communicator, database):
    """Without a cookie, and with a session of nobody's, one is accepted and closed with 4401."""
    for headers in ((), NO_LOGIN, await database.start_session(theme="dark")):
        client = visit(communicator, headers)
        accepted, _ = await client.connect()
        if not accepted:
            diagnose("refused-without-reason", client)
        if client.close_code is None:
            diagnose("anonymous-let-in", client)
        wrong = None if client.close_code == 4401 else "wrong-close-code"
        client.expect(NOT_LOGGED_IN, otherwise=wrong)


async def test_a_stranger_who_speaks_at_once_gets_nothing_stamped(communicator, database):
    """A stranger's frame that came before the close was seen is not answered."""
    client = visit(communicator)
    client.input_queue.put_nowait({"type": "websocket.connect"})
    client.input_queue.put_nowait({"type": "websocket.receive", "text": "this, please"})
    await client.wait()
    client.expect(ACCEPT, NOT_LOGGED_IN)


async def test_each_is_served_by_their_own_permissions(communicator, database):
    """Frames get `stamped` from who has auth.change_user, `not yours to stamp` from others."""
    ada = await enter(communicator, await database.log_in("ada", "auth.view_user", MAY), "ada")
    grace = await enter(communicator, await database.log_in("grace", "auth.view_user"), "grace")
    for client, may in ((ada, True), (grace, False), (ada, True), (grace, False)):
        await ask(client, may)
    await ada.send_to(bytes_data=b"\x00")
    ada.expect(said("stamped"))
