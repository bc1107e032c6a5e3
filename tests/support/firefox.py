"""Drives the Firefox of the Linux distribution over WebDriver BiDi, which Firefox supports itself.

Playwright needs its own build of Firefox, a separate download. The extended support release does
not know all commands that Playwright sends.
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
    """One tab, and the errors of its console."""

    def __init__(self, socket, timeout):
        self._socket, self._timeout, self._numbers = socket, timeout, count(1)
        self.errors = []
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self._tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def _ask(self, method, **params):
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(self._timeout))
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] != "info":
                self.errors.append(answer["params"]["text"])
            elif answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, url):
        self._ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def find(self, role, name):
        """The only element with that role and name."""
        locator = {"type": "accessibility", "value": {"role": role, "name": name}}
        found = self._ask("browsingContext.locateNodes", context=self._tab, locator=locator)
        (node,) = found["nodes"]
        return node

    def call(self, function, *arguments):
        """Call a JavaScript function with elements from `find` and with texts."""
        texts = ({"type": "string", "value": one} for one in arguments if isinstance(one, str))
        answer = self._ask(
            "script.callFunction",
            functionDeclaration=function,
            arguments=[next(texts) if isinstance(one, str) else one for one in arguments],
            target={"context": self._tab},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer

    def wait_for(self, selector, words=""):
        """Wait for an element that matches the selector and contains the words."""
        self.call(WAIT, selector, words)

    def close(self):
        self._ask("browser.close")


@contextmanager
def firefox(program, profile, timeout):
    """A Firefox without a window and with a new profile."""
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
        with connect(f"{url}/session", open_timeout=timeout) as socket:
            browser = Firefox(socket, timeout)
            yield browser
            browser.close()
            process.wait(timeout)
    finally:
        process.kill()
        process.communicate()
