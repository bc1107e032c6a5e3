"""How many bytes a browser loads to show a page for the first time."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin

# A module's static imports. A dynamic import() loads later, only when the page needs it.
_IMPORT = re.compile(r"""^(?:import|export)\b[^"'()=]*?["']([^"']+)["']""", re.M)


class _Resources(HTMLParser):
    """Collects the addresses that a browser loads to show a page."""

    def __init__(self, page: str):
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag == "link" and names.get("rel") in ("stylesheet", "icon", "modulepreload"):
            self.addresses.append(names["href"])
        elif tag in ("script", "img") and names.get("src") and names.get("loading") != "lazy":
            self.addresses.append(names["src"])


def page_weight(get: Callable[[str], bytes], path: str) -> dict[str, int]:
    """Bytes by path, uncompressed, of all that a first visit loads. `get` fetches one path."""
    page = get(path)
    sizes = {path: len(page)}
    waiting = [urljoin(path, address) for address in _Resources(page.decode()).addresses]
    while waiting:
        one = waiting.pop()
        if one not in sizes:
            content = get(one)
            sizes[one] = len(content)
            if one.endswith(".js"):
                waiting += [urljoin(one, name) for name in _IMPORT.findall(content.decode())]
    return sizes
