"""Drives the Firefox of the distribution over WebDriver BiDi, which it speaks by itself.

Playwright's own Firefox is a build of its own, to be downloaded; and what it sends to another one
is more than the extended support release knows.
"""

import json
import subprocess
from contextlib import contextmanager
from itertools import count

from websockets.sync.client import connect

LISTENING = "WebDriver BiDi listening on "
WAIT = """(selector, words) => new Promise(done => {
    const fits = element => element.textContent.includes(words);
    const look = () => [...document.querySelectorAll(selector)].some(fits) && done(true);
    const all = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver(look).observe(document.body, all);
    look();
})"""


class Firefox:
    """One tab, and the errors on its console."""

    def __init__(self, socket, patience):
        self._socket, self._patience, self._numbers = socket, patience, count(1)
        self.errors = []
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self._tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def _ask(self, method, **params):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(self._patience))
            if told.get("method") == "log.entryAdded" and told["params"]["level"] != "info":
                self.errors.append(told["params"]["text"])
            elif told.get("id") == number:
                assert told["type"] == "success", told
                return told["result"]

    def open(self, url):
        self._ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def find(self, role, name):
        """The one element of that role and name."""
        locator = {"type": "accessibility", "value": {"role": role, "name": name}}
        found = self._ask("browsingContext.locateNodes", context=self._tab, locator=locator)
        (node,) = found["nodes"]
        return node

    def call(self, function, *arguments):
        """Call a JavaScript function; elements are passed as they were found, the rest is text."""
        texts = ({"type": "string", "value": one} for one in arguments if isinstance(one, str))
        told = self._ask(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[next(texts) if isinstance(one, str) else one for one in arguments],
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert told["type"] == "success", told

    def wait_for(self, selector, words=""):
        """Until there is such an element with these words in it."""
        self.call(WAIT, selector, words)

    def close(self):
        self._ask("browser.close")


@contextmanager
def firefox(program, profile, patience):
    """A Firefox without a window, with a fresh profile."""
    command = [program, "--headless", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(
        [*command, "--remote-debugging-port", "0", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = next(line for line in process.stderr if line.startswith(LISTENING))
        url = line.removeprefix(LISTENING).strip()
        with connect(f"{url}/session", open_timeout=patience) as socket:
            browser = Firefox(socket, patience)
            yield browser
            browser.close()
            process.wait(patience)
    finally:
        process.kill()
        process.communicate()
