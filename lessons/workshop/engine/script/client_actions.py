"""What a client does on its connection, or the server does with it."""

import asyncio
import json
from dataclasses import replace
from urllib.parse import quote, unquote_to_bytes

from ..faults.finding import Finding
from ..world.channel_layer import current_layer
from ..world.client import Client, HttpClient, WebSocketClient
from .action import NAME, NUMBER, OBJECT, SECONDS, Action, Kind, one_of
from .frame_notation import HEX, TEXT

HEADERS = ("host", "origin", "cookie", "authorization", "referer")  # that `connect` may have
# They are written as they are; a space, a `%` and a `|` are percent-encoded.
_UNCHANGED = "".join(chr(code) for code in range(33, 127) if chr(code) not in "%|")
_HEADER = Kind(
    lambda text: unquote_to_bytes(text).decode(errors="surrogateescape"),
    lambda value: quote(value.encode(errors="surrogateescape"), safe=_UNCHANGED),
)
_CONNECT = "connect [/path/] [?query] [subprotocols=a,b] [as=ada] [ticket=ada] [origin=URL] …"
_OPTIONS = {
    "subprotocols": Kind(lambda text: text.split(","), ",".join),
    **dict.fromkeys(("as", "ticket", "forged", "spliced"), NAME),
    "altered": one_of(
        *("longer", "listed", "followed", "earlier", "padded", "quoted", "halved", "swapped"),
        *("encoded", "unsigned", "resigned", "bearer", "lower"),
    ),
    "salt": _HEADER,
    **dict.fromkeys(HEADERS, _HEADER),
    "outer": one_of("guest"),
    "server": NUMBER,
    "answers": SECONDS,
}


class ClientAction(Action):
    """Once a client's consumer has broken a rule, the client only waits."""

    has_client = True

    async def take(self, player, step):
        client = player.client_of(step)
        if client and (fault := await self.act(client, **step.arguments)):
            player.note_fault(step.client, fault)

    async def act(self, client: Client, **arguments) -> Finding | None:
        """Returns before the consumer has handled what was sent.

        A client that has left, or has been closed, can send nothing. Returns the fault of a
        consumer that does not survive a crash or a kill as it should.
        """


class BeginningAction(ClientAction):
    """new_client() returns a client that has not taken its first step yet."""

    begins = True

    async def take(self, player, step):
        player.open_client(step).begin()


class Connect(BeginningAction, usage=_CONNECT):
    """The client opens a WebSocket. A client may connect again.

    as=ada                      the user ada is logged in; `ada/2` is ada's second browser
    origin=, host=, cookie=, …  a header, percent-encoded: `origin=https://a%20b`. A byte that is
                                not UTF-8 becomes a lone surrogate
    server=2                    a second server process with the same file, which shares the
                                database, the cache and the channel layers
    outer=guest                 a middleware around the application has put an anonymous user into
                                the scope
    answers=0.7                 seconds until the client answers a close of the consumer
    ticket=ada                  a ticket that was issued to ada; `ada/2` is ada's second
    ticket=ada forged=bob       the ticket, made out to bob without the secret key
    ticket=ada spliced=bob      the content of bob's ticket with ada's signature
    ticket=ada altered=longer   the ticket with one more character; `listed`: with a comma and one
                                more; `followed`: with a space and one more; `earlier`: with one in
                                front; `padded`: with `=` behind it; `quoted`: in quotes; `halved`:
                                with a space in it; `swapped`: upper case for lower case;
                                `encoded`: with percent signs; `unsigned`: without its signature;
                                `resigned`: signed for another purpose, that of `salt=`;
                                `bearer`, `lower`: with another scheme
    """

    def read(self, text):
        arguments = {}
        for word in text.split():
            key, equals, value = word.partition("=")
            if word.startswith("/"):
                arguments["path"] = word
            elif word.startswith("?"):
                arguments["query"] = quote(word[1:], safe=f"{_UNCHANGED}%")
            elif equals and key in _OPTIONS:
                arguments[key] = _OPTIONS[key].read(value)
            else:
                raise ValueError(f"connect does not know {word!r}")
        return arguments

    def write(self, arguments):
        words = [arguments["path"]] if "path" in arguments else []
        words += [f"?{arguments['query']}"] if "query" in arguments else []
        options = _OPTIONS.items()
        words += [f"{key}={it.write(arguments[key])}" for key, it in options if key in arguments]
        return " ".join([self.name, *words])

    def logins(self, arguments):
        return arguments

    def new_client(self, player, application, port, arguments):
        path = arguments.get("path", player.path)
        if (query := player.accounts.query_for(arguments)) is not None:
            path = f"{path}?{query}"
        headers = player.accounts.headers_for(arguments)
        offered = arguments.get("subprotocols", [])
        outer = {}
        if "outer" in arguments:
            from django.contrib.auth.models import AnonymousUser  # needs a configured Django

            outer = {"user": AnonymousUser()}
        client = WebSocketClient(application, path, headers, offered, port=port, **outer)
        client.answers_after = arguments.get("answers", 0)
        return client


class RequestAction(BeginningAction):
    """An HTTP request. Its body is one JSON string, or pieces: each is one http.request event.

    `/health/` in front is another path than the lesson's. Without a path, the first piece does not
    begin with a slash. With ` ...` at the end, more pieces follow: `unfinished`.
    """

    is_request = True

    def read(self, text):
        arguments = {}
        if text.startswith("/"):
            arguments["path"], _, text = text.partition(" ")
        if text.startswith('"') and not text.startswith('"" '):
            arguments["body"] = json.loads(text)
            arguments["body"].encode()  # a lone surrogate is not a body
            return arguments
        return arguments | (_read_pieces(text) if text.split() else {})

    def write(self, arguments):
        words = [self.name, *([arguments["path"]] if "path" in arguments else [])]
        if "body" in arguments:
            return " ".join([*words, json.dumps(arguments["body"], ensure_ascii=False)])
        return " ".join([*words, *_write_pieces(arguments.get("pieces", []), arguments)])

    def new_client(self, player, application, port, arguments):
        path, body = arguments.get("path", player.path), arguments.get("body", "").encode()
        pieces = [piece.encode() for piece in arguments.get("pieces", ())]
        client = HttpClient(application, self.name, path, pieces or body, port=port)
        client.unfinished = arguments.get("unfinished", False)
        client.leaves_out = player.setup.get("keys") == "fewer"
        return client


class Get(RequestAction, usage="GET, or GET /path/"):
    pass


class Head(RequestAction, usage="HEAD, or HEAD /path/"):
    pass


class Post(
    RequestAction, usage='POST piece piece, POST piece ..., POST "body", or POST /path/ piece'
):
    pass


class Put(RequestAction, usage='PUT "body", or PUT /path/ piece'):
    pass


class Piece(ClientAction, usage="piece 2, or piece 2 ..."):
    """The last piece of a request; with ` ...` behind it, one of which more follow."""

    def read(self, text):
        arguments = _read_pieces(text or '""')
        pieces = arguments.pop("pieces")
        if len(pieces) != 1:
            raise ValueError
        return {"piece": pieces[0], **arguments}

    def write(self, arguments):
        return " ".join([self.name, *_write_pieces([arguments["piece"]], arguments)])

    async def act(self, client, piece, unfinished=False):
        client.deliver_piece(piece.encode(), unfinished)


def _read_pieces(text: str) -> dict:
    """The pieces of a request, of which an empty one is written `""`."""
    words = text.split()
    unfinished = words[-1] == "..." and len(words) > 1
    pieces = [word if word != '""' else "" for word in words[: len(words) - unfinished]]
    return {"pieces": pieces, **({"unfinished": True} if unfinished else {})}


def _write_pieces(pieces: list[str], arguments: dict) -> list[str]:
    return [*(piece or '""' for piece in pieces), *["..."] * arguments.get("unfinished", False)]


class Text(ClientAction, usage="text hello", text=TEXT):
    """The client sends a text frame."""

    async def take(self, player, step):
        _deliver(player, step, text=step.arguments["text"], bytes=None)


class Bytes(ClientAction, usage="bytes 00ff", hex=HEX):
    """The client sends a binary frame."""

    async def take(self, player, step):
        _deliver(player, step, text=None, bytes=bytes.fromhex(step.arguments["hex"]))


def _deliver(player, step, **keys) -> None:
    """Deliver a frame. With `keys both`, the event has the unused key, too."""
    if client := player.client_of(step):
        has_all = player.setup.get("keys") == "both"
        used = {key: value for key, value in keys.items() if has_all or value is not None}
        client.deliver({"type": "websocket.receive", **used})


class Close(ClientAction, usage="close, or close 1001"):
    """The client closes the connection, with this code if there is one."""

    ends = True

    def read(self, text):
        return {"code": int(text)} if text else {}

    def write(self, arguments):
        return f"close {arguments['code']}" if "code" in arguments else "close"

    async def act(self, client, code=None):
        client.begin_disconnect(code)


class Vanish(ClientAction, usage="vanish"):
    """The connection is lost, with code 1006."""

    ends = True

    async def act(self, client):
        client.begin_disconnect(1006)


class Wait(ClientAction, usage="wait 0.5", seconds=SECONDS):
    """So many seconds pass, even for a client that has not connected."""

    async def take(self, player, step):
        await asyncio.sleep(step.arguments["seconds"])


class Layer(ClientAction, usage='layer {"type": "a.message"}', message=OBJECT):
    """Another process sends this to the channel of the client's consumer."""

    async def take(self, player, step):
        player.client_of(step)  # raises UnknownStep for a client that has not connected
        if channel := player.channels.get(step.client):
            await current_layer().send(channel, step.arguments["message"])


class Crash(ClientAction, usage="crash"):
    """A handler raises an exception."""

    kills = True

    async def act(self, client):
        return None if client.finished else await client.crash()


class Kill(ClientAction, usage="kill"):
    """The server cancels the consumer, that of a new client before its first event."""

    kills = True

    async def take(self, player, step):
        if step.client not in player.clients:
            player.open_client(replace(step, action="connect"))
        await super().take(player, step)

    async def act(self, client):
        return None if client.finished else await client.kill()
