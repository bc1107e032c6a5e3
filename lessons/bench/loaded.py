"""What a browser loads to show a page: the page, its styles, its pictures, its scripts."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin

# A module's imports, but for those that wait until they are wanted.
_IMPORT = re.compile(r"""^(?:import|export)\b[^"'()]*?["']([^"']+)["']""", re.M)


class _Head(HTMLParser):
    """Collects the addresses that a page cannot be shown without."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag == "link" and names.get("rel") in ("stylesheet", "icon", "modulepreload"):
            self.found.append(names["href"])
        elif tag in ("script", "img") and names.get("src") and names.get("loading") != "lazy":
            self.found.append(names["src"])


def loaded(get: Callable[[str], bytes], path: str) -> dict[str, int]:
    """Bytes by path, uncompressed, of a first visit; `get` fetches one path."""
    page = get(path)
    sizes = {path: len(page)}
    waiting = [urljoin(path, found) for found in _Head(page.decode()).found]
    while waiting:
        one = waiting.pop()
        if one not in sizes:
            content = get(one)
            sizes[one] = len(content)
            if one.endswith(".js"):
                waiting += [urljoin(one, name) for name in _IMPORT.findall(content.decode())]
    return sizes
