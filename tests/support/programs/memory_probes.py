"""How much memory a server uses for a client that does not read, or that sends too fast.

    python3 -m tests.support.programs.memory_probes

prints the table of NOTES.md. Each probe starts a server with one client. 128 frames of 1 MiB go to
the client, which does not read them, or from the client to a handler that is busy.
"""

from contextlib import suppress

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from lessons.workshop.authoring.notes import measured_table
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne

FRAMES = 128
FRAME = "x" * (2**20 - 1024)  # with a key around it, it is still below Daphne's limit of 1 MiB
# Seconds without progress, after which a client or a consumer gives up. Only uvicorn makes it wait.
STALL_TIMEOUTS = {"uvicorn": 1, "Daphne": TEST_TIMEOUT}


class Server(RealDaphne):
    """A Daphne or uvicorn, and how much its memory has grown."""

    def __init__(self, kind):
        super().__init__("backpressure_server", kind)

    def __enter__(self):
        super().__enter__()
        self.at_first = self.highest = self.memory()
        return self

    def __exit__(self, *error):
        self.process.kill()  # uvicorn would wait for its consumers
        super().__exit__(*error)

    def memory(self):
        """The memory of the process, in MiB."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    def look(self):
        """Read the memory now. `growth` uses the highest value that was seen."""
        self.highest = max(self.highest, self.memory())

    @property
    def growth(self):
        """MiB since the start."""
        return round(self.highest - self.at_first)

    def connect(self, path):
        """A client that reads one frame, and leaves the next ones in the sockets."""
        url = f"ws://127.0.0.1:{self.port}{path}"
        options = {"ping_interval": None, "proxy": None, "open_timeout": TEST_TIMEOUT}
        return connect(url, compression=None, max_queue=1, **options)


def send_to_a_client(kind, path):
    """The growth in MiB, and how many frames the consumer has sent: a number, or "all"."""
    with Server(kind) as server, server.connect(path) as client:
        client.send("begin")
        sent = server.wait_for_line("ready ")
        server.look()
        client.socket.close()
        return server.growth, sent


def send_to_a_handler(kind, path):
    """The growth in MiB, how many frames the client has sent, and the close code it received."""
    sent = 0
    with Server(kind) as server, server.connect(path) as client:
        client.socket.settimeout(STALL_TIMEOUTS[kind])
        with suppress(ConnectionClosed):
            while sent < FRAMES:
                client.send(FRAME)
                sent += 1
                server.look()
            client.ping().wait(TEST_TIMEOUT)  # Daphne answers after it has read all frames
        server.look()
        client.socket.close()
        return server.growth, sent, client.close_code


OUTPUT = "to a client that does not read"
INPUT = "to a handler that is busy"
ROWS = {
    OUTPUT: (send_to_a_client, "/sends"),
    f"{OUTPUT}, through an `asyncio.Queue(4)`": (send_to_a_client, "/queue"),
    INPUT: (send_to_a_handler, "/busy"),
    f"{OUTPUT}, with `Unconfirmed(limit=8)`": (send_to_a_client, "/prices"),
    f"{INPUT}, with `InputLimit(limit=32)`": (send_to_a_handler, "/busy/limited"),
}


def measure(kind, probe, path):
    if kind == "uvicorn" and path in ("/prices", "/busy/limited"):
        return "not needed"
    return str(probe(kind, path)[0])


if __name__ == "__main__":
    columns = {
        kind: {name: measure(kind, *row) for name, row in ROWS.items()}
        for kind in ("Daphne", "uvicorn")
    }
    print(measured_table(columns), end="")
